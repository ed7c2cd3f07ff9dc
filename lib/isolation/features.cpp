// Kernel features: the probe, and what is left without some of them.

#include "isolation/features.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sched.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"
#include "sys/probe.hpp"
#include "sys/spawn.hpp"

namespace sock::isolation {
namespace {

Result<> mount_on_detached() {
  const UniqueFd below = SOCK_TRY(sys::make_filesystem("tmpfs", {}, sys::MountFlags::none));
  const UniqueFd above = SOCK_TRY(sys::make_filesystem("tmpfs", {}, sys::MountFlags::none));
  return sys::attach_mount(above, below);
}

// Tried, not looked up by version: distributions carry patches back, and a sandbox around us may
// refuse. Without privilege it is tried in a user namespace, as it will be used.
bool probe_detached_roots() {
  if (mount_on_detached().has_value()) return true;
  bool works = false;
  static_cast<void>(sys::run_in_child([&] {
                      works = sys::leave_namespaces(CLONE_NEWUSER | CLONE_NEWNS).has_value() &&
                              mount_on_detached().has_value();
                    }).has_value());
  return works;
}

bool probe_proc_from_outside() {
  const auto own = sys::open(sys::cwd, "/proc/self/ns/pid", O_RDONLY);
  return own.has_value() && sys::make_proc_of(*own).has_value();
}

}  // namespace

Result<KernelFeatures> without(KernelFeatures found, std::span<const std::string> names) {
  for (const std::string& name : names) {
    const auto* feature = std::ranges::find(features, name, &Feature::name);
    if (feature == features.end())
      return base::refuse(Errc::invalid_spec, Stage::validate, name,
                          "not the name of a kernel feature; `sockctl check` lists them");
    found.*feature->member = false;
  }
  found.clone_into_cgroup = found.clone_into_cgroup && found.clone3;
  return found;
}

KernelFeatures probe_features() {
  return {.detached_roots = probe_detached_roots(),
          .landlock_scopes = sys::landlock_abi() >= 6,
          .clone3 = sys::has_clone3(),
          .clone_into_cgroup = sys::has_clone_into_cgroup(),
          // A file of cgroup v2, which only exists below the root: nothing to try it on yet.
          .cgroup_kill = sys::kernel_at_least(5, 14),
          .proc_from_outside = probe_proc_from_outside()};
}

}  // namespace sock::isolation
