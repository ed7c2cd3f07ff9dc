// One answer for each request.

#include "native/zygote.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <time.h>
#include <unistd.h>

#include "native/payload.hpp"
#include "server/fork.hpp"
#include "server/fork_safety.hpp"
#include "server/inheritance.hpp"
#include "server/kernel_state.hpp"
#include "server/park.hpp"
#include "server/role.hpp"
#include "server/spare.hpp"

namespace sock::zygote {
namespace {

// A spare is forked when nobody has asked for anything for so long: beside the start of a payload,
// the copying of page tables would slow it down.
constexpr int quiet_ms = 5;

std::uint64_t now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

/// What is being loaded, by whom and for whom: for a hook of exit(), which takes no argument.
struct Loading {
  const char* path = nullptr;
  pid_t zygote = -1;
  int channel = -1;
} loading;

void tell_of_exit() noexcept {
  if (loading.zygote != ::getpid()) return;
  Reason reason;
  reason.say("%s: it has called exit()", loading.path);
  say_failed(loading.channel, reason.text(), 0);
}

/// What the next children need not do each for itself.
void settle() noexcept {
  std::fflush(nullptr);
  note_signals();
  empty_bounding_set();
}

/// In the zygote: a child that could not be made, or is on its own now.
void leave(Forked forked, int channel) noexcept {
  if (forked.side == Side::failed) say_failed(channel, "fork", forked.sys_errno);
  ::close(channel);
}

}  // namespace

void Zygote::serve() noexcept {
  note_own_signals();
  std::atexit(tell_of_exit);
  settle();
  if (!say_hello(channel_)) return;
  for (;;) {
    while (spare_count_ > 0 && !wait_for_message(channel_, quiet_ms)) fork_oldest_spare();
    Inbox inbox;
    const Inbox::Outcome outcome = inbox.receive(channel_);
    if (outcome == Inbox::Outcome::end) return;
    if (outcome == Inbox::Outcome::refused) continue;
    // What is no request is dropped whole; whoever sent it hears nothing.
    if (const auto request = read_request(inbox)) answer(*request);
  }
}

void Zygote::answer(const Request& request) noexcept {
  if (request.kind == wire::Kind::load) return answer_load(request);
  if (request.kind == wire::Kind::grow) return answer_grow(request.channel);
  if (request.kind == wire::Kind::park) return answer_park(request.channel);
  if (request.no_hurry) return answer_spare(request);
  answer_fork(request.namespaces, request.channel, Child::container);
}

bool Zygote::load_all(const Request& request, Reason& reason) noexcept {
  if (!request.paths.bytes.empty())
    return reason.say("a native zygote has no search path: name objects by their whole paths");
  bool good = true;
  const bool whole = wire::for_each_string(request.modules, [&](std::string_view text) {
    if (!good) return;
    const char* const path = text.data();  // With its NUL.
    loading = {.path = path, .zygote = ::getpid(), .channel = channel_};
    good = objects_.load(path, reason);
    loading = {};
    const char* const what = good ? unsafe_to_fork() : nullptr;
    if (what != nullptr) good = reason.say("%s %s", path, what);
  });
  return good && (whole || reason.say("malformed message"));
}

void Zygote::answer_load(const Request& request) noexcept {
  const std::uint64_t start = now();
  const pid_t zygote = ::getpid();
  Reason reason;
  const bool loaded = load_all(request, reason);
  if (::getpid() != zygote) ::_exit(0);  // An object's own fork came back here: one may answer.
  if (!loaded) {
    say_failed(channel_, reason.text(), 0);
    return;
  }
  settle();
  say_imported(channel_, now() - start);
}

void Zygote::answer_grow(int channel) noexcept {
  // Not fork(): the new one must be the domain's to reap, not this zygote's.
  const Forked forked = fork_into_namespaces(0);
  if (forked.side != Side::child) return leave(forked, channel);
  forget_spares();
  ::close(channel_);
  channel_ = channel;
  if (!say_hello(channel_)) ::_exit(0);
}

void Zygote::answer_park(int channel) noexcept {
  answer_grow(channel);
  if (channel_ != channel) return;  // In the zygote, to which nothing has happened.
  channel_ = park(channel);
  if (channel_ < 0) ::_exit(0);  // The Host has been told.
  Inbox inbox;
  const auto role = receive_role(channel_, inbox);
  if (!role || role->kind != Role::Kind::zygote) ::_exit(0);
  return_to_directory();
  forget_bounding_set();
  empty_bounding_set();
  if (!say_hello(channel_)) ::_exit(0);
}

void Zygote::answer_fork(std::uint64_t namespaces, int channel, Child what) noexcept {
  const Forked forked = fork_into_namespaces(namespaces);
  if (forked.side != Side::child) return leave(forked, channel);
  // Or what the zygote has not read when it dies would be kept, and be waited for, by its spares.
  ::close(channel_);
  if (what == Child::spare && !join_waiting_groups(channel)) ::_exit(0);
  if (!say_hello(channel)) ::_exit(0);
  forget_spares();
  // No working set is mapped ahead: 37 page faults to main(), where an interpreter has 300.
  run_payload(channel, objects_);
}

void Zygote::answer_spare(const Request& request) noexcept {
  if (spare_count_ == most_spares)
    return answer_fork(request.namespaces, request.channel, Child::spare);
  spares_[spare_count_++] = {.namespaces = request.namespaces, .channel = request.channel};
}

void Zygote::fork_oldest_spare() noexcept {
  const Spare oldest = spares_[0];
  std::copy(spares_ + 1, spares_ + spare_count_, spares_);
  --spare_count_;
  if (is_abandoned(oldest.channel))
    ::close(oldest.channel);
  else
    answer_fork(oldest.namespaces, oldest.channel, Child::spare);
}

/// In a child: they are the zygote's to make.
void Zygote::forget_spares() noexcept {
  for (std::size_t at = 0; at < spare_count_; ++at) ::close(spares_[at].channel);
  spare_count_ = 0;
}

}  // namespace sock::zygote
