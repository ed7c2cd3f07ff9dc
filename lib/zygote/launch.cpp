// A container from a fork: the zygote makes the process while the Host makes everything else, and
// then one message tells the child what to become.

#include <algorithm>
#include <optional>

#include <sched.h>

#include "base/try.hpp"
#include "child/kernel.hpp"
#include "container/checked_spec.hpp"
#include "container/groups_to_join.hpp"
#include "container/stage_clock.hpp"
#include "container/standard_fds.hpp"
#include "container/start.hpp"
#include "sys/clock.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"
#include "sys/process.hpp"
#include "zygote/child.hpp"
#include "zygote/report.hpp"
#include "zygote/spare.hpp"
#include "zygote/work.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock::zygote {
namespace {

std::unexpected<Error> cannot(std::string subject, std::string hint) {
  return base::refuse(Errc::invalid_spec, Stage::validate, std::move(subject), std::move(hint));
}

Result<> check_forkable(const ContainerSpec& spec) {
  if (spec.init != Init::none)
    return cannot("init", "a forked payload is pid 1 itself; use Init::none");
  if (spec.namespaces.mount != MountNamespace::empty)
    return cannot("mount namespace", "a forked container has the empty one");
  if (spec.namespaces.user)
    return cannot("user namespace", "a forked container has its zygote domain's");
  if (spec.namespaces.shared != unsafe::Shared::none)
    return cannot("shared namespaces", "a forked container has its own");
  if (!spec.identity.capabilities.empty())
    return cannot("capabilities", "a forked container keeps none: its zygote has none to give");
  const Network::Kind network = spec.namespaces.network.kind();
  if (network != Network::Kind::isolated && network != Network::Kind::loopback)
    return cannot("network", "a forked container has none, or a loopback of its own");
  if (spec.checkpointable)
    return cannot("checkpointable", "only created containers can be written into snapshots");
  return {};
}

std::uint64_t namespaces_of(const ContainerSpec& spec, const container::Workshop& workshop) {
  const std::uint64_t usual = usual_namespaces(workshop);
  const bool loopback = spec.namespaces.network.kind() == Network::Kind::loopback;
  return loopback ? usual | CLONE_NEWNET : usual;
}

Result<child::Report> read_report(const Peer& channel, Deadline deadline) {
  const Peer::Received received = SOCK_TRY(channel.receive(deadline));
  return decode_report(received.bytes, sys::monotonic_nanoseconds());
}

std::string subject_of(const child::Report& report, const ContainerSpec& spec) {
  if (report.index == child::cwd_index) return "cwd " + spec.cwd;
  if (report.failed == Stage::exec && report.index == 0) return spec.argv.front();
  return std::string{to_string(report.failed)};
}

Error failed_step(const child::Report& report, const ContainerSpec& spec) {
  Error error = sys::sys_error(report.sys_errno & 0xfff, subject_of(report, spec)).error();
  error.stage = report.failed;
  if (error.stage == Stage::exec && error.code == Errc::not_found)
    error.hint = "the zygote has loaded nothing of that name";
  return error;
}

/// What the child has done between the last mark here and its own first one: until it has its work,
/// and that is read. Part of being forked.
void add_to_fork(std::vector<StageTiming>& timings, const child::Report& report,
                 std::int64_t marked) {
  std::int64_t begun = report.last_mark;
  for (const std::int64_t elapsed : report.elapsed) begun -= elapsed;
  const auto fork = std::ranges::find(timings, Stage::fork, &StageTiming::stage);
  if (fork != timings.end() && begun > marked)
    fork->elapsed += std::chrono::nanoseconds{begun - marked};
}

Result<> attach_proc(isolation::StitchedRoot& root, const Child& child) {
  UniqueFd proc = SOCK_TRY(sys::make_proc_of(child.pid_namespace()));
  return root.tree.attach(std::move(proc), "/proc");
}

struct Parts {
  isolation::Cgroup cgroup;
  container::GroupsToJoin groups;  ///< None, for a spare: it has joined them.
  isolation::StitchedRoot root;
};

Result<Parts> make_parts(container::Workshop& workshop, const ContainerSpec& spec,
                         const container::CheckedSpec& checked, std::optional<Spare>& spare,
                         container::StageClock& clock) {
  Parts parts{};
  if (spare) {
    parts.cgroup = std::move(spare->cgroup);
    SOCK_TRY(parts.cgroup.limit(spec.resources));
  } else {
    parts.cgroup = SOCK_TRY(workshop.cgroups->take(spec.resources));
    parts.groups = SOCK_TRY(container::open_groups(parts.cgroup));
    // A hostile package sees the message and may keep what came with it.
    parts.cgroup.expose();
  }
  clock.mark(Stage::cgroup);
  container::Realm* const realm = SOCK_TRY(workshop.realms.find_or_make(spec.identity));
  parts.root = SOCK_TRY(realm->make_root(checked.rootfs, spec.stdio.terminal, spec.identity, {}));
  clock.mark(Stage::rootfs);
  return parts;
}

Result<> send_work(const Child& child, const container::Workshop& workshop,
                   const ContainerSpec& spec, const container::CheckedSpec& checked,
                   const Parts& parts) {
  std::vector<std::string> env = spec.env;
  if (!spec.fds.empty()) env.push_back(container::names_of(spec.fds));
  const std::vector<int> payload =
      container::payload_fds(spec.stdio, parts.root.terminal, spec.fds);
  const bool scoped = spec.namespaces.network.kind() == Network::Kind::isolated;
  const WorkMessage work = encode_work({
      .spec = spec,
      .env = env,
      .checked = checked,
      .policy = spec.seccomp ? *spec.seccomp : workshop.default_policy,
      .root = parts.root.tree.root(),
      .join_cgroups = parts.groups.fds,
      .landlock = scoped ? workshop.landlock.ref() : FdRef{},
      .payload = payload,
      .last_capability = workshop.last_capability,
  });
  return child.channel().send(work.bytes, work.files);
}

}  // namespace

Result<container::Launched> launch_forked(Zygote::Impl& zygote, const ContainerSpec& spec) {
  container::Workshop& workshop = zygote.workshop;
  const Deadline deadline = sys::deadline_in(zygote.deadline());
  container::StageClock clock;
  SOCK_TRY(check_forkable(spec));
  const container::CheckedSpec checked = SOCK_TRY(container::check(spec));
  clock.mark(Stage::validate);
  // First of all, so that the fork goes on beside what follows.
  const std::uint64_t namespaces = namespaces_of(spec, workshop);
  std::optional<Spare> spare;
  if (namespaces == usual_namespaces(workshop)) spare = zygote.take_spare();
  std::optional<Child> asked;
  if (!spare) asked = SOCK_TRY(base::in_stage(Stage::fork, zygote.request_child(namespaces)));
  Parts parts = SOCK_TRY(make_parts(workshop, spec, checked, spare, clock));
  // After the parts, so that it goes before them: a cgroup is given back empty.
  Child child{std::move(spare ? spare->child : *asked)};
  if (!spare)
    SOCK_TRY(base::in_stage(Stage::fork, child.meet(zygote.home.pid_namespace, deadline)));
  clock.mark(Stage::fork);
  SOCK_TRY(base::in_stage(Stage::mounts, attach_proc(parts.root, child)));
  clock.mark(Stage::mounts);
  SOCK_TRY(base::in_stage(Stage::fork, send_work(child, workshop, spec, checked, parts)));
  // While the child is at it. What cannot be asked for now will be asked for by the next one.
  static_cast<void>(zygote.refill().has_value());
  const child::Report report =
      SOCK_TRY(base::in_stage(Stage::fork, read_report(child.channel(), deadline)));
  if (report.failed != Stage::none) return std::unexpected(failed_step(report, spec));
  container::Launched launched{.pidfd = std::move(child).keep(),
                               .pid = -1,
                               .parent = container::Parent::domain,
                               .origin = spare ? Origin::spare : Origin::forked,
                               .cgroup = std::move(parts.cgroup),
                               .root = std::move(parts.root.tree).take_root(),
                               .own_mount_namespace = false,
                               .terminal = {},
                               .init_report = {},
                               .timings = clock.take()};
  launched.pid = sys::number_of(launched.pidfd);
  add_to_fork(launched.timings, report, clock.marked());
  container::append_timings(report, launched.timings);
  if (parts.root.terminal) launched.terminal = std::move(parts.root.terminal->master);
  return launched;
}

}  // namespace sock::zygote
