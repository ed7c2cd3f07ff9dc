// What a Host keeps ready.

#include "container/workshop.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/mount.hpp"
#include "sys/probe.hpp"

namespace sock::container {

Result<> Names::claim(const std::string& name) {
  const std::scoped_lock lock{mutex_};
  if (!names_.insert(name).second)
    return base::refuse(Errc::exists, Stage::validate, "name \"" + name + "\"",
                        "a container of this name is running");
  return {};
}

void Names::release(const std::string& name) {
  const std::scoped_lock lock{mutex_};
  names_.erase(name);
}

Workshop::Workshop(const isolation::KernelFeatures& kernel, SeccompPolicy policy,
                   std::unique_ptr<isolation::CgroupPool> pool)
    : features{kernel},
      default_policy{std::move(policy)},
      last_capability{sys::last_capability()},
      clock{sys::find_vdso_clock()},
      cgroups{std::move(pool)},
      realms{kernel.detached_roots ? isolation::Composition::detached
                                   : isolation::Composition::by_child} {}

Result<> equip(Workshop& workshop, const std::string& init_program) {
  auto program = sys::open(sys::cwd, init_program, O_RDONLY);
  if (!program) {
    program.error().stage = Stage::state;
    program.error().hint = "HostOptions::libexec_dir names the directory of sock-init";
    return std::unexpected(program.error());
  }
  workshop.init =
      SOCK_TRY(base::in_stage(Stage::state, sys::sealed_copy(*program, "sock-init", 0111)));
  if (workshop.features.detached_roots && !workshop.realms.rootless())
    workshop.init_mount = SOCK_TRY(base::in_stage(Stage::state, sys::mountable_copy(*program)));
  workshop.life_line = SOCK_TRY(base::in_stage(Stage::state, sys::make_pipe()));
  if (workshop.features.landlock_scopes)
    workshop.landlock = UniqueFd{sys::make_landlock_scope(sys::SignalScope::open)};
  // Made now, so that the first container does not pay for it. A rootless Host makes its realms
  // when it knows the identity.
  if (!workshop.realms.rootless()) SOCK_TRY(workshop.realms.find_or_make(Identity{}));
  return {};
}

}  // namespace sock::container
