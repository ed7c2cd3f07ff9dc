// Starting a further process in a running container: its namespaces are entered by an intermediate
// process, since a pid namespace only takes effect on the next child.

#include <span>
#include <vector>

#include <fcntl.h>
#include <sched.h>

#include "base/try.hpp"
#include "container/checked_spec.hpp"
#include "container/checkpointable.hpp"
#include "container/container_impl.hpp"
#include "container/groups_to_join.hpp"
#include "container/identity_plan.hpp"
#include "container/plan_memory.hpp"
#include "container/standard_fds.hpp"
#include "container/start.hpp"
#include "isolation/seccomp/program.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/terminal.hpp"

namespace sock::container {
namespace {

// The user namespace is entered last: the others belong to the caller's, or to one that the
// rootless entry has joined first.
child::EnterPlan plan_entry(const Container::Impl& container, const Realm& realm,
                            FdRef user_namespace) {
  const Namespaces& namespaces = container.spec.namespaces;
  const auto own = [&](unsafe::Shared kind) { return !unsafe::contains(namespaces.shared, kind); };
  int kinds = CLONE_NEWNS;
  if (own(unsafe::Shared::pid)) kinds |= CLONE_NEWPID;
  if (own(unsafe::Shared::ipc)) kinds |= CLONE_NEWIPC;
  if (own(unsafe::Shared::uts)) kinds |= CLONE_NEWUTS;
  if (own(unsafe::Shared::cgroup)) kinds |= CLONE_NEWCGROUP;
  if (namespaces.network.kind() != Network::Kind::host) kinds |= CLONE_NEWNET;
  child::EnterPlan enter;
  if (realm.user_namespace()) kinds |= CLONE_NEWUSER;
  enter.target = container.launched.pidfd.get();
  enter.target_kinds = kinds;
  enter.user_namespace = user_namespace.get();
  return enter;
}

Result<isolation::TerminalPair> open_terminal(const Terminal& terminal, const Identity& owner) {
  auto pair = SOCK_TRY(isolation::make_nameless_terminal(terminal));
  SOCK_TRY(sys::set_owner(pair.slave, owner.uid, owner.gid));
  return pair;
}

void fill_plan(PlanMemory& memory, const ExecSpec& spec, const CheckedCommand& checked,
               Container::Impl& container, const Realm& realm, std::span<const int> groups) {
  memory.set_command(spec.argv, spec.env, checked.programs);
  const SeccompPolicy& policy =
      container.spec.seccomp ? *container.spec.seccomp : container.workshop.default_policy;
  if (policy.program() != nullptr) memory.set_seccomp(policy.program()->instructions);
  child::Plan& plan = memory.finish();
  // With a mount namespace of its own, entering that is entering the root; the tree it was made
  // from belongs to a namespace that is gone.
  if (!container.launched.own_mount_namespace) plan.root = container.launched.root.get();
  plan.cwd = checked.cwd.c_str();
  plan.controlling_terminal = spec.stdio.terminal.has_value();
  fill_identity(plan, spec.identity, checked.capabilities, container.workshop, realm);
  if (uses_landlock(container.spec, container.workshop))
    plan.landlock = container.workshop.landlock.get();
  plan.cgroups = groups.data();
  plan.cgroup_count = static_cast<std::uint32_t>(groups.size());
}

/// While the new process has our memory, the container does not die as one.
class Divided {
 public:
  explicit Divided(Container::Impl& container) noexcept : container_{container} {
    container_.launched.cgroup.die_as_one(false);
  }
  ~Divided() { container_.launched.cgroup.die_as_one(container_.dies_as_one()); }
  Divided(const Divided&) = delete;
  Divided& operator=(const Divided&) = delete;

 private:
  Container::Impl& container_;
};

}  // namespace

Result<std::shared_ptr<Member>> start_process(Container::Impl& container, const ExecSpec& spec) {
  const CheckedCommand checked = SOCK_TRY(check(spec));
  if (container.known_status())
    return base::refuse(Errc::closed, Stage::validate, container.name, "it has ended");
  static_cast<void>(container.reap_members().has_value());  // What fails here fails at the end too.
  Workshop& workshop = container.workshop;
  SOCK_TRY(refuse_groups_without_root(spec.identity, workshop));
  if (container.spec.checkpointable) SOCK_TRY(refuse_capabilities_over_snapshots(spec.identity));
  const Realm& realm = *SOCK_TRY(workshop.realms.find_or_make(container.spec.identity));
  isolation::SharedNamespace user_namespace = container.launched.user_namespace;
  if (!user_namespace && container.spec.namespaces.user)  // Of a restored one.
    user_namespace =
        SOCK_TRY(workshop.user_namespaces.find_or_make(*container.spec.namespaces.user));
  std::optional<isolation::TerminalPair> terminal;
  if (spec.stdio.terminal)
    terminal =
        SOCK_TRY(base::in_stage(Stage::rootfs, open_terminal(*spec.stdio.terminal, spec.identity)));

  // Allocated first: a process that nobody knows of would never be reaped, and keep its container
  // from ending.
  Members entry{std::make_shared<Member>()};
  const std::shared_ptr<Member> member = entry.front();
  PlanMemory memory;
  ChildStacks stacks;
  memory.set_fds(payload_fds(spec.stdio, terminal, spec.fds));
  if (!spec.fds.empty()) memory.add_env(names_of(spec.fds));
  memory.set_limits(SOCK_TRY(isolation::find_rlimits(container.spec.rlimits)));
  const GroupsToJoin groups = SOCK_TRY(open_groups(container.launched.cgroup));
  fill_plan(memory, spec, checked, container, realm, groups.fds);
  const Divided divided{container};
  sys::Spawned spawned =
      SOCK_TRY(start(memory, stacks,
                     {.namespaces = 0,
                      .cgroup = {},
                      .features = workshop.features,
                      .enter = plan_entry(container, realm, isolation::fd_of(user_namespace))}));
  member->pidfd = std::move(spawned.pidfd);
  member->pid = spawned.pid;
  if (terminal) member->terminal = std::move(terminal->master);
  container.add_member(std::move(entry));
  return member;
}

}  // namespace sock::container
