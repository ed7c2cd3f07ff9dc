// Specs of the C interface. Zero is the default of every field.

#include "c_api/spec.hpp"

#include <algorithm>
#include <string>

#include "base/try.hpp"
#include "c_api/sized.hpp"
#include "c_api/spec_lists.hpp"

namespace sock::c_api {
namespace {

constexpr std::uint32_t no_pids_limit = UINT32_MAX;

std::string text_or(const char* text, std::string_view otherwise) {
  return std::string{text == nullptr ? otherwise : std::string_view{text}};
}

template <class T>
std::optional<T> limit(std::uint64_t value) {
  if (value == 0) return std::nullopt;
  return T{static_cast<T>(value)};
}

Result<std::optional<UserNamespace>> to_user_namespace(const sock_container_spec& spec) {
  SOCK_TRY(check_array(spec.uid_map, spec.uid_map_count, "uid_map"));
  SOCK_TRY(check_array(spec.gid_map, spec.gid_map_count, "gid_map"));
  if (spec.uid_map_count == 0 && spec.gid_map_count == 0) return std::optional<UserNamespace>{};
  return UserNamespace{.uids = to_ranges(spec.uid_map, spec.uid_map_count),
                       .gids = to_ranges(spec.gid_map, spec.gid_map_count)};
}

Result<Network> to_network(std::uint32_t kind, int fd) {
  switch (kind) {
    case SOCK_NETWORK_ISOLATED:
      return Network::isolated();
    case SOCK_NETWORK_LOOPBACK:
      return Network::loopback();
    case SOCK_NETWORK_JOIN:
      return Network::join(FdRef{fd});
    case SOCK_UNSAFE_NETWORK_HOST:
      return Network::host(unsafe::HostNetwork{});
    default:
      return refuse_argument("network", "use a SOCK_NETWORK_* value");
  }
}

Result<std::optional<SeccompPolicy>> to_policy(const sock_container_spec& spec) {
  if (spec.seccomp_policy != nullptr && spec.seccomp != nullptr)
    return refuse_argument("seccomp_policy", "give it, or a profile in `seccomp`, but not both");
  if (spec.seccomp_policy != nullptr) return spec.seccomp_policy->policy;
  const std::string name = text_or(spec.seccomp, SOCK_SECCOMP_HANDLER);
  // Empty: the host has the default compiled already.
  if (name == SOCK_SECCOMP_HANDLER) return std::optional<SeccompPolicy>{};
  if (name == SOCK_SECCOMP_STRICT) return SOCK_TRY(SeccompPolicy::strict());
  if (name == SOCK_UNSAFE_SECCOMP_NONE) return SeccompPolicy::none(unsafe::AllowAllSyscalls{});
  return refuse_argument("seccomp profile \"" + name + "\"", "use a SOCK_SECCOMP_* name");
}

Result<MountNamespace> to_mount_namespace(std::uint32_t kind) {
  if (kind > SOCK_MOUNTS_OWN)
    return refuse_argument("mount_namespace", "use a SOCK_MOUNTS_* value");
  return kind == SOCK_MOUNTS_OWN ? MountNamespace::own : MountNamespace::empty;
}

Result<unsafe::Shared> to_shared(std::uint32_t kinds) {
  constexpr std::uint64_t known = SOCK_UNSAFE_SHARED_PID | SOCK_UNSAFE_SHARED_IPC |
                                  SOCK_UNSAFE_SHARED_UTS | SOCK_UNSAFE_SHARED_CGROUP;
  SOCK_TRY(check_flags(kinds, known, "unsafe_shared"));
  return static_cast<unsafe::Shared>(kinds);
}
static_assert(SOCK_UNSAFE_SHARED_PID == static_cast<int>(unsafe::Shared::pid));
static_assert(SOCK_UNSAFE_SHARED_CGROUP == static_cast<int>(unsafe::Shared::cgroup));

// The fields that containers and further processes share.
template <class CSpec>
Result<Identity> to_identity(const CSpec& spec) {
  SOCK_TRY(check_array(spec.groups, spec.group_count, "groups"));
  Identity identity;
  identity.groups.assign(spec.groups, spec.groups + spec.group_count);
  for (const std::string& name : to_list(spec.unsafe_capabilities))
    identity.capabilities.emplace_back(name);
  const bool as_given = (spec.flags & SOCK_IDS_AS_GIVEN) != 0;
  if (as_given || spec.uid != 0) identity.uid = spec.uid;
  if (as_given || spec.gid != 0) identity.gid = spec.gid;
  return identity;
}

template <class CSpec>
Stdio to_stdio(const CSpec& spec) {
  Stdio stdio;
  if (spec.stdio != nullptr) {
    stdio.in = FdRef{spec.stdio[0]};
    stdio.out = FdRef{spec.stdio[1]};
    stdio.err = FdRef{spec.stdio[2]};
  }
  if ((spec.flags & SOCK_TERMINAL) != 0) {
    Terminal terminal;
    if (spec.terminal_rows != 0) terminal.rows = spec.terminal_rows;
    if (spec.terminal_columns != 0) terminal.columns = spec.terminal_columns;
    stdio.terminal = terminal;
  }
  return stdio;
}

}  // namespace

Result<HostOptions> to_options(const sock_host_options* given) {
  const auto options = SOCK_TRY(read_sized(given, "options"));
  SOCK_TRY(require(options.state_dir, "state_dir"));
  if (options.cgroup_backend > SOCK_CGROUPS_NONE)
    return refuse_argument("cgroup_backend", "use a SOCK_CGROUPS_* value");
  HostOptions result{.state_dir = options.state_dir};
  result.libexec_dir = text_or(options.libexec_dir, "");
  result.cgroup.backend = static_cast<CgroupBackend>(options.cgroup_backend);
  result.cgroup.parent = text_or(options.cgroup_parent, "");
  if (options.cgroup_reserve != 0) result.cgroup.reserve = options.cgroup_reserve;
  result.without = to_list(options.without);
  return result;
}
static_assert(SOCK_CGROUPS_V2 == static_cast<int>(CgroupBackend::v2));
static_assert(SOCK_CGROUPS_NONE == static_cast<int>(CgroupBackend::none));

Result<Resources> to_resources(const sock_limits& limits) {
  if (std::ranges::any_of(limits.reserved, [](std::uint64_t field) { return field != 0; }))
    return refuse_argument("limits", "a limit is set that this library is too old to know", E2BIG);
  Resources resources;
  constexpr std::uint64_t most_us = INT64_MAX;
  resources.memory_max = limit<std::uint64_t>(limits.memory_max);
  resources.swap_max = limits.swap_max;
  if (limits.swap_max == SOCK_UNLIMITED) resources.swap_max.reset();
  if (limits.memory_max == SOCK_UNLIMITED) resources.memory_max.reset();
  if (limits.cpu_quota_us != 0)
    resources.cpu_quota = std::chrono::microseconds{std::min(limits.cpu_quota_us, most_us)};
  if (limits.cpu_quota_us == SOCK_UNLIMITED) resources.cpu_quota.reset();
  if (limits.cpu_period_us != 0)
    resources.cpu_period = std::chrono::microseconds{std::min(limits.cpu_period_us, most_us)};
  resources.cpu_weight = limit<std::uint32_t>(limits.cpu_weight);
  if (limits.pids_max != 0) resources.pids_max = limits.pids_max;
  if (limits.pids_max == no_pids_limit) resources.pids_max.reset();
  return resources;
}

Result<ContainerSpec> to_spec(const sock_container_spec* given) {
  const auto spec = SOCK_TRY(read_sized(given, "spec"));
  SOCK_TRY(check_flags(spec.flags, SOCK_IDS_AS_GIVEN | SOCK_TERMINAL, "spec"));
  SOCK_TRY(require(spec.name, "name"));
  SOCK_TRY(require(spec.rootfs_base, "rootfs_base"));
  if (spec.init > SOCK_INIT_NONE) return refuse_argument("init", "use a SOCK_INIT_* value");
  constexpr std::uint64_t most_ms = INT64_MAX / 1'000'000;  // its nanoseconds still fit
  // Each by itself: in a nested one, g++ 12 destroys the members that an exception has left unmade.
  Rootfs rootfs{.base = spec.rootfs_base};
  std::vector<std::string> argv = to_list(spec.argv);
  ContainerSpec result{.name = spec.name, .rootfs = std::move(rootfs), .argv = std::move(argv)};
  result.rootfs.handler = text_or(spec.rootfs_handler, "");
  result.rootfs.packages = to_list(spec.packages);
  result.rootfs.binds = SOCK_TRY(to_binds(spec.binds, spec.bind_count));
  result.rootfs.tmpfs = SOCK_TRY(to_tmpfs(spec.tmpfs, spec.tmpfs_count));
  result.env = to_list(spec.env);
  result.cwd = text_or(spec.cwd, "/");
  result.hostname = text_or(spec.hostname, "sock");
  result.identity = SOCK_TRY(to_identity(spec));
  result.namespaces.mount = SOCK_TRY(to_mount_namespace(spec.mount_namespace));
  result.namespaces.shared = SOCK_TRY(to_shared(spec.unsafe_shared));
  result.namespaces.network = SOCK_TRY(to_network(spec.network, spec.network_fd));
  result.namespaces.user = SOCK_TRY(to_user_namespace(spec));
  result.resources = SOCK_TRY(to_resources(spec.limits));
  result.rlimits = SOCK_TRY(to_rlimits(spec.rlimits, spec.rlimit_count));
  result.seccomp = SOCK_TRY(to_policy(spec));
  result.stdio = to_stdio(spec);
  result.fds = SOCK_TRY(to_fds(spec.fds, spec.fd_count));
  result.init = spec.init == SOCK_INIT_NONE ? Init::none : Init::reaper;
  if (spec.time_limit_ms != 0)
    result.time_limit = std::chrono::milliseconds{std::min(spec.time_limit_ms, most_ms)};
  return result;
}

Result<ExecSpec> to_exec_spec(const sock_exec_spec* given) {
  const auto spec = SOCK_TRY(read_sized(given, "spec"));
  SOCK_TRY(check_flags(spec.flags, SOCK_IDS_AS_GIVEN | SOCK_TERMINAL, "spec"));
  Identity identity = SOCK_TRY(to_identity(spec));
  return ExecSpec{.argv = to_list(spec.argv),
                  .env = to_list(spec.env),
                  .cwd = text_or(spec.cwd, "/"),
                  .identity = std::move(identity),
                  .stdio = to_stdio(spec)};
}

}  // namespace sock::c_api
