// One zygote: requests to it, its spares, its children.

#include "sock/zygote.hpp"

#include <algorithm>
#include <optional>

#include <sched.h>
#include <signal.h>

#include "base/try.hpp"
#include "container/container_impl.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"
#include "sys/process_memory.hpp"
#include "wire/message.hpp"
#include "zygote/first_to_die.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock {
namespace {

using std::chrono::steady_clock;
using zygote::Child;
using zygote::Peer;
using zygote::Spare;

constexpr std::size_t most_spares = 64;

/// Sends a message whose one descriptor is the other end of a new channel.
Result<Peer> send_for(const Peer& zygote, std::span<const std::byte> message) {
  Peer::Ends ends = SOCK_TRY(Peer::make());
  const FdRef there = ends.there;
  SOCK_TRY(zygote.send(message, {&there, 1}));
  return std::move(ends.here);
}

void put_strings(wire::Writer& writer, wire::Field field, const std::vector<std::string>& strings) {
  std::string text;
  for (const std::string& item : strings) text.append(item).push_back('\0');
  writer.put(field, text);
}

constexpr wire::RoleEntry channel_role{.role = wire::Role::channel, .number = 0};

/// Asks for something that has no more to it than a channel of its own.
Result<Peer> request(const Peer& zygote, wire::Kind kind) {
  std::array<std::byte, 64> memory;
  wire::Writer writer{memory, kind};
  writer.put_value(wire::Field::roles, channel_role);
  return send_for(zygote, writer.message());
}

}  // namespace

Result<Child> Zygote::Impl::request_child(std::uint64_t namespaces, Urgency urgency) {
  std::array<std::byte, 64> memory;
  wire::Writer writer{memory, wire::Kind::fork};
  writer.put_value(wire::Field::roles, channel_role);
  writer.put_value(wire::Field::namespaces, namespaces);
  if (urgency == Urgency::no_hurry)
    writer.put_value(wire::Field::flags, static_cast<std::uint32_t>(wire::Flag::no_hurry));
  Peer child = SOCK_TRY(send_for(channel, writer.message()));
  return Child{std::move(child)};
}

std::optional<Spare> Zygote::Impl::find_spare_that_is_up() {
  const std::scoped_lock lock{mutex};
  // One that has not said hello yet may not even have been forked.
  const auto up =
      std::ranges::find_if(spares, [](const Spare& spare) { return spare.child.is_up(); });
  if (up == spares.end()) return {};
  std::optional<Spare> spare{std::move(*up)};
  spares.erase(up);
  return spare;
}

std::optional<Spare> Zygote::Impl::take_spare() {
  while (auto spare = find_spare_that_is_up())
    // It may have died since it was parked, for want of memory for instance.
    if (spare->child.meet(home.pid_namespace, steady_clock::now())) return spare;
  return {};
}

Result<Spare> Zygote::Impl::request_spare() {
  auto cgroup = SOCK_TRY(zygote::take_waiting_groups(*workshop.cgroups));
  Child child = SOCK_TRY(request_child(zygote::usual_namespaces(workshop), Urgency::no_hurry));
  SOCK_TRY(zygote::send_waiting_groups(child.channel(), cgroup));
  return Spare{.cgroup = std::move(cgroup), .child = std::move(child)};
}

/// False: there are enough.
bool Zygote::Impl::keep(Spare&& spare) {
  const std::scoped_lock lock{mutex};
  if (spares.size() >= wanted_spares) return false;
  spares.push_back(std::move(spare));
  return true;
}

Result<> Zygote::Impl::refill() {
  const auto is_short = [&] {
    const std::scoped_lock lock{mutex};
    return spares.size() < wanted_spares;
  };
  const std::unique_lock one{refilling, std::try_to_lock};
  while (one && is_short())
    if (!keep(SOCK_TRY(request_spare()))) return {};
  return {};
}

Result<Peer> Zygote::Impl::request_parked() {
  return request(channel, wire::Kind::park);
}

std::uint64_t zygote::usual_namespaces(const container::Workshop& workshop) noexcept {
  constexpr std::uint64_t always = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  return workshop.landlock ? always : always | CLONE_NEWNET;
}

Result<std::uint64_t> zygote::identity_of(FdRef pid_namespace) {
  const sys::FileStatus status = SOCK_TRY(sys::status(pid_namespace));
  return status.inode;
}

Result<> zygote::require_zygote(FdRef sender, const Home& home) {
  const UniqueFd pid_namespace = SOCK_TRY(sys::pid_namespace_of(sender));
  if (SOCK_TRY(identity_of(pid_namespace)) == home.pid_namespace &&
      sys::number_of(sender) != home.keeper)
    return {};
  return base::refuse(Errc::corrupt, Stage::none, "zygote", "who says hello is no zygote");
}

Result<std::unique_ptr<Zygote::Impl>> zygote::adopt(container::Workshop& workshop,
                                                    const UserNamespace& maps,
                                                    std::shared_ptr<const ZygoteDomainSpec> domain,
                                                    Peer channel, Home home) {
  Peer::Received hello = SOCK_TRY(base::in_stage(
      Stage::fork, channel.expect(wire::Kind::hello, sys::deadline_in(domain->deadline))));
  SOCK_TRY(base::in_stage(Stage::fork, require_zygote(hello.sender, home)));
  const pid_t pid = sys::number_of(hello.sender);
  return std::unique_ptr<Zygote::Impl>{new Zygote::Impl{.workshop = workshop,
                                                        .maps = maps,
                                                        .domain = std::move(domain),
                                                        .channel = std::move(channel),
                                                        .pidfd = std::move(hello.sender),
                                                        .pid = pid,
                                                        .home = home}};
}

Zygote::Zygote(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Zygote::Zygote(Zygote&&) noexcept = default;
Zygote& Zygote::operator=(Zygote&& other) noexcept {
  Zygote replaced{std::move(other)};
  std::swap(impl_, replaced.impl_);
  return *this;
}
Zygote::~Zygote() {
  if (impl_) static_cast<void>(kill().has_value());
}

Result<Container> Zygote::fork(const ContainerSpec& spec) {
  SOCK_TRY(container::require(impl_));
  // exec() enters what is said here: the user namespace is the domain's, whatever was asked for.
  ContainerSpec whole = spec;
  whole.namespaces.user = impl_->maps;
  auto impl = SOCK_TRY(Container::Impl::start(impl_->workshop, whole,
                                              [&] { return zygote::launch_forked(*impl_, spec); }));
  return Container{std::move(impl)};
}

Result<Zygote> Zygote::grow(const ImportSpec& imports) {
  SOCK_TRY(container::require(impl_));
  Peer channel = SOCK_TRY(base::in_stage(Stage::fork, request(impl_->channel, wire::Kind::grow)));
  auto adopted = SOCK_TRY(
      zygote::adopt(impl_->workshop, impl_->maps, impl_->domain, std::move(channel), impl_->home));
  // Before the child, and so until that is killed where its import fails.
  std::optional<zygote::FirstToDie> importing;
  if (!imports.modules.empty()) importing.emplace(adopted->pidfd);
  Zygote child{std::move(adopted)};
  if (!imports.modules.empty()) SOCK_TRY(child.import(imports));
  return child;
}

Result<> Zygote::import(const ImportSpec& imports) {
  std::vector<std::byte> memory(wire::most_bytes);
  wire::Writer writer{memory, wire::Kind::load};
  put_strings(writer, wire::Field::modules, imports.modules);
  put_strings(writer, wire::Field::paths, imports.paths);
  const auto done = [&]() -> Result<> {
    SOCK_TRY(impl_->channel.send(writer.message(), {}));
    const Peer::Received answer =
        SOCK_TRY(impl_->channel.expect(wire::Kind::loaded, sys::deadline_in(imports.deadline)));
    auto reader = wire::Reader::open(answer.bytes);
    while (const auto field = reader->next())
      if (field->field == wire::Field::elapsed_ns)
        impl_->import_time =
            std::chrono::nanoseconds{field->as<std::uint64_t>().value_or(0) & INT64_MAX};
    return {};
  };
  auto imported = base::in_stage(Stage::import_modules, done());
  if (!imported && imported.error().code == Errc::closed) {
    imported.error().subject = "zygote";
    imported.error().hint = "it has ended: killed, or out of its domain's memory";
  }
  return imported;
}

Result<> Zygote::keep_spares(std::size_t count) {
  SOCK_TRY(container::require(impl_));
  if (count > most_spares)
    return base::refuse(Errc::invalid_spec, Stage::validate, "spares", "at most 64");
  std::vector<Spare> surplus;  // Ended outside the lock.
  {
    const std::scoped_lock lock{impl_->mutex};
    impl_->wanted_spares = count;
    while (impl_->spares.size() > count) {
      surplus.push_back(std::move(impl_->spares.back()));
      impl_->spares.pop_back();
    }
  }
  return base::in_stage(Stage::fork, impl_->refill());
}

FdRef Zygote::pidfd() const noexcept {
  return impl_ ? impl_->pidfd.ref() : FdRef{};
}
pid_t Zygote::pid() const noexcept {
  return impl_ ? impl_->pid : -1;
}
std::chrono::nanoseconds Zygote::import_time() const noexcept {
  return impl_ ? impl_->import_time : std::chrono::nanoseconds{0};
}

Result<ZygoteMemory> Zygote::memory() const {
  SOCK_TRY(container::require(impl_));
  const auto memory = SOCK_TRY(base::in_stage(Stage::stats, sys::memory_of(impl_->pidfd)));
  return ZygoteMemory{.rss = memory.rss,
                      .pss = memory.pss,
                      .private_memory = memory.private_memory,
                      .anonymous = memory.anonymous};
}

Result<> Zygote::kill() {
  SOCK_TRY(container::require(impl_));
  std::deque<Spare> ended;  // Outside the lock.
  {
    const std::scoped_lock lock{impl_->mutex};
    impl_->wanted_spares = 0;
    ended.swap(impl_->spares);
  }
  ended.clear();
  auto sent = sys::send_signal(impl_->pidfd, SIGKILL);
  if (!sent && sent.error().code == Errc::closed) return {};
  return base::in_stage(Stage::kill, std::move(sent));
}

}  // namespace sock
