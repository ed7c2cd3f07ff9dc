// Starting the first process of a container.

#include "container/launch.hpp"

#include <algorithm>
#include <chrono>

#include <fcntl.h>
#include <sched.h>

#include "base/try.hpp"
#include "container/checked_spec.hpp"
#include "container/identity_plan.hpp"
#include "container/plan_memory.hpp"
#include "container/stage_clock.hpp"
#include "container/standard_fds.hpp"
#include "container/start.hpp"
#include "isolation/seccomp/program.hpp"

namespace sock::container {
namespace {

std::uint64_t namespaces_to_make(const ContainerSpec& spec, const Workshop& workshop) {
  const auto own = [&](unsafe::Shared kind) {
    return !unsafe::contains(spec.namespaces.shared, kind);
  };
  std::uint64_t flags = 0;
  if (own(unsafe::Shared::pid)) flags |= CLONE_NEWPID;
  if (own(unsafe::Shared::ipc)) flags |= CLONE_NEWIPC;
  if (own(unsafe::Shared::uts)) flags |= CLONE_NEWUTS;
  const Network::Kind network = spec.namespaces.network.kind();
  // Without Landlock's scopes, containers that share a network namespace could meet in it through
  // abstract sockets.
  if (network == Network::Kind::loopback ||
      (network == Network::Kind::isolated && !uses_landlock(spec, workshop)))
    flags |= CLONE_NEWNET;
  return flags;
}

FdRef network_to_enter(const ContainerSpec& spec, const Workshop& workshop, const Realm& realm) {
  switch (spec.namespaces.network.kind()) {
    case Network::Kind::isolated:
      return uses_landlock(spec, workshop) ? realm.empty_network_namespace() : FdRef{};
    case Network::Kind::join:
      return spec.namespaces.network.joined();
    case Network::Kind::loopback:
    case Network::Kind::host:
      return {};
  }
  return {};
}

void fill_isolation(child::Plan& plan, const ContainerSpec& spec, Workshop& workshop,
                    const Realm& realm, const isolation::StitchedRoot& root) {
  const bool detached = workshop.features.detached_roots;
  plan.mount_namespace = realm.empty_mount_namespace().get();
  plan.network_namespace = network_to_enter(spec, workshop, realm).get();
  plan.loopback_up = spec.namespaces.network.kind() == Network::Kind::loopback;
  plan.own_cgroup_namespace = !unsafe::contains(spec.namespaces.shared, unsafe::Shared::cgroup);
  if (!unsafe::contains(spec.namespaces.shared, unsafe::Shared::uts)) {
    plan.hostname = spec.hostname.c_str();
    plan.hostname_size = static_cast<std::uint32_t>(spec.hostname.size());
  }
  plan.root = root.tree.root().get();
  plan.own_mount_namespace =
      spec.namespaces.mount == MountNamespace::own || spec.checkpointable || !detached;
  plan.attach_point = isolation::attach_point;
  plan.builds_root = true;
  if (uses_landlock(spec, workshop)) plan.landlock = workshop.landlock.get();
}

// A rootless Host's namespaces belong to its user namespace, so that one is entered first, by an
// intermediate process, with the mount namespace in which the root was made.
std::optional<child::EnterPlan> plan_entry(const Realm& realm) {
  if (!realm.user_namespace()) return {};
  child::EnterPlan enter;
  enter.target = realm.user_namespace().get();
  enter.target_kinds = CLONE_NEWUSER;
  enter.mount_namespace = realm.host_view().get();
  return enter;
}

Result<> refuse_what_nobody_would_kill(const ContainerSpec& spec, const Workshop& workshop) {
  if (workshop.cgroups->backend() == CgroupBackend::none && spec.init == Init::none)
    return base::refuse(Errc::unsupported, Stage::validate, "init",
                        "without cgroups only an init ends the container when its Host dies");
  return {};
}

/// What a container is put together from, each part the owner of its descriptors.
struct Parts {
  Realm* realm;
  isolation::SharedNamespace user_namespace;
  isolation::Cgroup cgroup;
  isolation::StitchedRoot root;
  sys::Pipe init_report;  ///< Empty without an init.
  UniqueFd init;          ///< Of a checkpointable container: the program, in its root.
  std::vector<Lent> lent;
};

Result<Parts> make_parts(Workshop& workshop, const ContainerSpec& spec, const CheckedSpec& checked,
                         StageClock& clock) {
  Parts parts{};
  parts.realm = SOCK_TRY(workshop.realms.find_or_make(spec.identity));
  if (spec.namespaces.user)
    parts.user_namespace = SOCK_TRY(workshop.user_namespaces.find_or_make(*spec.namespaces.user));
  clock.mark(Stage::validate);
  parts.cgroup = SOCK_TRY(workshop.cgroups->take(spec.resources));
  clock.mark(Stage::cgroup);
  parts.root = SOCK_TRY(parts.realm->make_root(checked.rootfs, spec.stdio.terminal, spec.identity,
                                               isolation::fd_of(parts.user_namespace),
                                               own_files(spec, workshop)));
  if (spec.init != Init::none)
    parts.init_report = SOCK_TRY(base::in_stage(Stage::state, sys::make_pipe()));
  if (spec.checkpointable && spec.init != Init::none)
    parts.init = SOCK_TRY(parts.root.tree.open_attached(init_place));
  if (spec.checkpointable)
    parts.lent = SOCK_TRY(
        base::in_stage(Stage::state, identify_lent(spec, workshop, parts.init_report.writer)));
  clock.mark(Stage::rootfs);
  return parts;
}

void fill_command(PlanMemory& memory, const ContainerSpec& spec, const CheckedSpec& checked,
                  const Workshop& workshop, const Parts& parts) {
  memory.set_fds(payload_fds(spec.stdio, parts.root.terminal, spec.fds));
  memory.set_command(spec.argv, spec.env, checked.programs);
  if (!spec.fds.empty()) memory.add_env(names_of(spec.fds));
  memory.set_limits(checked.rlimits);
  memory.set_mounts(parts.root.tree.pending());
  const SeccompPolicy& policy = spec.seccomp ? *spec.seccomp : workshop.default_policy;
  if (policy.program() != nullptr) memory.set_seccomp(policy.program()->instructions);
}

void fill_plan(PlanMemory& memory, ChildStacks& stacks, const ContainerSpec& spec,
               const CheckedSpec& checked, Workshop& workshop, const Parts& parts) {
  fill_command(memory, spec, checked, workshop, parts);
  if (spec.init != Init::none)
    memory.set_init({.program = parts.init ? parts.init.ref() : workshop.init.ref(),
                     .life_line = workshop.life_line.reader,
                     .report = parts.init_report.writer,
                     .time_limit = spec.time_limit.value_or(std::chrono::milliseconds{0}),
                     .outlives_payload = spec.init == Init::keeper,
                     .payload_stack_top = stacks.second.data() + ChildStacks::size});
  child::Plan& plan = memory.finish();
  plan.clock = workshop.clock;
  fill_isolation(plan, spec, workshop, *parts.realm, parts.root);
  fill_identity(plan, spec.identity, checked.capabilities, workshop, *parts.realm);
  plan.cwd = checked.cwd.c_str();
  plan.controlling_terminal = spec.stdio.terminal.has_value();
  plan.user_namespace = isolation::fd_of(parts.user_namespace).get();
  plan.cgroups = parts.cgroup.join_fds().data();
  plan.cgroup_count = static_cast<std::uint32_t>(parts.cgroup.join_fds().size());
}

}  // namespace

Result<Launched> launch(Workshop& workshop, const ContainerSpec& spec) {
  StageClock clock;
  const CheckedSpec checked = SOCK_TRY(check(spec));
  SOCK_TRY(refuse_what_nobody_would_kill(spec, workshop));
  SOCK_TRY(refuse_groups_without_root(spec.identity, workshop));
  if (spec.checkpointable) SOCK_TRY(refuse_what_no_snapshot_holds(spec, workshop));
  Parts parts = SOCK_TRY(make_parts(workshop, spec, checked, clock));
  PlanMemory memory;
  ChildStacks stacks;
  fill_plan(memory, stacks, spec, checked, workshop, parts);
  sys::Spawned spawned = SOCK_TRY(start(memory, stacks,
                                        {.namespaces = namespaces_to_make(spec, workshop),
                                         .cgroup = parts.cgroup.clone_into(),
                                         .features = workshop.features,
                                         .enter = plan_entry(*parts.realm)}));
  Launched launched{.pidfd = std::move(spawned.pidfd),
                    .pid = spawned.pid,
                    .parent = Parent::host,
                    .cgroup = std::move(parts.cgroup),
                    .root = std::move(parts.root.tree).take_root(),
                    .own_mount_namespace = memory.plan.own_mount_namespace,
                    .terminal = {},
                    .init_report = std::move(parts.init_report.reader),
                    .timings = clock.take(),
                    .lent = std::move(parts.lent),
                    .user_namespace = std::move(parts.user_namespace)};
  append_timings(memory.report, launched.timings);
  if (parts.root.terminal) launched.terminal = std::move(parts.root.terminal->master);
  return launched;
}

}  // namespace sock::container
