// What a checkpointable container has more than others, and what it may not have.

#include "container/checkpointable.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "sys/file.hpp"

namespace sock::container {
namespace {

constexpr std::string_view named_prefix = "fd:";

std::unexpected<Error> cannot(std::string subject, std::string why) {
  return base::refuse(Errc::invalid_spec, Stage::validate, std::move(subject), std::move(why));
}

}  // namespace

FdRef descriptor_for(const ContainerSpec& spec, std::string_view role) noexcept {
  if (role == "stdin") return spec.stdio.in;
  if (role == "stdout") return spec.stdio.out;
  if (role == "stderr") return spec.stdio.err;
  if (!role.starts_with(named_prefix)) return {};
  role.remove_prefix(named_prefix.size());
  const auto found = std::ranges::find(spec.fds, role, &NamedFd::name);
  return found == spec.fds.end() ? FdRef{} : found->fd;
}

std::vector<isolation::OwnFile> own_files(const ContainerSpec& spec, const Workshop& workshop) {
  if (!spec.checkpointable || spec.init == Init::none) return {};
  return {{.mount = workshop.init_mount, .target = init_place}};
}

Result<std::vector<Lent>> identify_lent(const ContainerSpec& spec, const Workshop& workshop,
                                        FdRef init_report) {
  std::vector<Lent> lent;
  const auto add = [&](std::string role, FdRef file) -> Result<> {
    if (!file) return {};
    const auto status = SOCK_TRY(sys::status(file));
    lent.push_back({.role = std::move(role), .device = status.device, .inode = status.inode});
    return {};
  };
  for (const char* const role : {"stdin", "stdout", "stderr"})
    SOCK_TRY(add(role, descriptor_for(spec, role)));
  for (const NamedFd& named : spec.fds)
    SOCK_TRY(add(std::string{named_prefix} + named.name, named.fd));
  if (spec.init == Init::none) return lent;
  SOCK_TRY(add(std::string{life_line_role}, workshop.life_line.reader));
  SOCK_TRY(add(std::string{init_report_role}, init_report));
  return lent;
}

Result<> refuse_what_no_snapshot_holds(const ContainerSpec& spec, const Workshop& workshop) {
  const std::string hint = "it cannot be in a snapshot; leave checkpointable false";
  if (workshop.realms.rootless())
    return base::refuse(Errc::unsupported, Stage::validate, "checkpointable",
                        "snapshots need a Host with root");
  if (workshop.cgroups->backend() == CgroupBackend::none)
    return base::refuse(Errc::unsupported, Stage::validate, "checkpointable",
                        "snapshots need cgroups, which none are used of here");
  if (!workshop.features.detached_roots)
    return base::refuse(Errc::unsupported, Stage::validate, "checkpointable",
                        "snapshots need Linux 6.15");
  const auto kind = spec.namespaces.network.kind();
  if (kind == Network::Kind::host || kind == Network::Kind::join) return cannot("network", hint);
  if (spec.namespaces.user) return cannot("user namespace", hint);
  if (spec.namespaces.shared != unsafe::Shared::none) return cannot("shared namespaces", hint);
  if (spec.stdio.terminal) return cannot("terminal", hint);
  return refuse_capabilities_over_snapshots(spec.identity);
}

// The file by /proc/PID/map_files.
Result<> refuse_capabilities_over_snapshots(const Identity& identity) {
  const auto& kept = identity.capabilities;
  for (const char* const name : {"cap_sys_admin", "cap_checkpoint_restore"})
    if (std::ranges::find(kept, name, &unsafe::Capability::name) != kept.end())
      return cannot(name, "not in a container that can be in a snapshot (checkpointable)");
  return {};
}

}  // namespace sock::container
