// A container from a fork: the zygote makes the process while the Host makes everything else, and
// then one message tells the child what to become.

#include <sched.h>
#include <signal.h>

#include "base/try.hpp"
#include "child/kernel.hpp"
#include "container/checked_spec.hpp"
#include "container/stage_clock.hpp"
#include "container/standard_fds.hpp"
#include "container/start.hpp"
#include "sys/clock.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/mount.hpp"
#include "sys/process.hpp"
#include "zygote/report.hpp"
#include "zygote/work.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock::zygote {
namespace {

using std::chrono::steady_clock;

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

/// A child whose work has not been confirmed: it is killed with its handle.
class Child {
 public:
  explicit Child(Peer channel) noexcept : channel_{std::move(channel)} {}
  Child(Child&&) noexcept = default;
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (!pidfd_) return;
    constexpr auto patience = std::chrono::seconds{1};
    if (sys::send_signal(pidfd_, SIGKILL))
      static_cast<void>(sys::wait_readable(pidfd_, steady_clock::now() + patience).has_value());
  }

  /// A zygote may name any process of its domain as the sender, so the word is checked: who is in
  /// the domain's own pid namespace (`domain`) is no container, and killing it would be no help.
  Result<> meet(std::uint64_t domain, Deadline deadline) {
    UniqueFd sender = std::move(SOCK_TRY(channel_.expect(wire::Kind::hello, deadline)).sender);
    if (!sender) return base::refuse(Errc::closed, Stage::none, "zygote", "its child has gone");
    pid_namespace_ = SOCK_TRY(sys::pid_namespace_of(sender));
    if (SOCK_TRY(identity_of(pid_namespace_)) == domain)
      return base::refuse(Errc::corrupt, Stage::none, "zygote",
                          "its child is in no pid namespace of its own");
    pidfd_ = std::move(sender);
    return {};
  }
  /// Before anybody was met.
  void ask_again_on(Peer channel) noexcept { channel_ = std::move(channel); }
  [[nodiscard]] FdRef pid_namespace() const noexcept { return pid_namespace_; }
  [[nodiscard]] FdRef pidfd() const noexcept { return pidfd_; }
  [[nodiscard]] const Peer& channel() const noexcept { return channel_; }
  UniqueFd keep() && noexcept { return std::move(pidfd_); }

 private:
  Peer channel_;
  UniqueFd pid_namespace_;
  UniqueFd pidfd_;
};

/// A spare may have died since it was parked, for want of memory for instance: then the zygote is
/// asked once more.
Result<> meet_or_ask_again(Child& child, Zygote::Impl& zygote, std::uint64_t namespaces,
                           Deadline deadline) {
  auto met = child.meet(zygote.home.pid_namespace, deadline);
  if (met || met.error().code != Errc::closed) return met;
  child.ask_again_on(SOCK_TRY(zygote.request_child(namespaces)));
  return child.meet(zygote.home.pid_namespace, deadline);
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

Result<> attach_proc(isolation::StitchedRoot& root, const Child& child) {
  UniqueFd proc = SOCK_TRY(sys::make_proc_of(child.pid_namespace()));
  return root.tree.attach(std::move(proc), "/proc");
}

struct Parts {
  isolation::Cgroup cgroup;
  UniqueFd unified_procs;  ///< Where a created container would be cloned into its group.
  isolation::StitchedRoot root;
  std::vector<int> joins;
};

Result<Parts> make_parts(container::Workshop& workshop, const ContainerSpec& spec,
                         const container::CheckedSpec& checked, container::StageClock& clock) {
  Parts parts{};
  parts.cgroup = SOCK_TRY(workshop.cgroups->take(spec.resources));
  // A hostile package sees the message and may keep what came with it.
  parts.cgroup.expose();
  parts.joins.assign(parts.cgroup.join_fds().begin(), parts.cgroup.join_fds().end());
  if (parts.cgroup.clone_into()) {
    parts.unified_procs = SOCK_TRY(base::in_stage(
        Stage::cgroup, sys::open(parts.cgroup.clone_into(), "cgroup.procs", O_WRONLY)));
    parts.joins.push_back(parts.unified_procs.get());
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
      .join_cgroups = parts.joins,
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
  Peer requested = SOCK_TRY(base::in_stage(Stage::fork, zygote.take_child(namespaces)));
  Parts parts = SOCK_TRY(make_parts(workshop, spec, checked, clock));
  // After the parts, so that it goes before them: a cgroup is given back empty.
  Child child{std::move(requested)};
  SOCK_TRY(base::in_stage(Stage::fork, meet_or_ask_again(child, zygote, namespaces, deadline)));
  clock.mark(Stage::fork);
  SOCK_TRY(base::in_stage(Stage::mounts, attach_proc(parts.root, child)));
  clock.mark(Stage::mounts);
  SOCK_TRY(base::in_stage(Stage::fork, send_work(child, workshop, spec, checked, parts)));
  const child::Report report =
      SOCK_TRY(base::in_stage(Stage::fork, read_report(child.channel(), deadline)));
  if (report.failed != Stage::none) return std::unexpected(failed_step(report, spec));
  container::Launched launched{.pidfd = std::move(child).keep(),
                               .pid = -1,
                               .parent = container::Parent::domain,
                               .cgroup = std::move(parts.cgroup),
                               .root = std::move(parts.root.tree).take_root(),
                               .own_mount_namespace = false,
                               .terminal = {},
                               .init_report = {},
                               .timings = clock.take()};
  launched.pid = sys::number_of(launched.pidfd);
  container::append_timings(report, launched.timings);
  if (parts.root.terminal) launched.terminal = std::move(parts.root.terminal->master);
  return launched;
}

}  // namespace sock::zygote
