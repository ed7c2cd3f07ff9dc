// The verbs of containers, and the choice among all verbs.

#include "api_actor.hpp"

#include <algorithm>
#include <csignal>

namespace sock::test {
namespace {

using std::chrono::steady_clock;
using Kind = ExitStatus::Kind;

constexpr std::size_t most_slots = 4;
constexpr std::size_t remembered = 30;
constexpr auto patience = std::chrono::seconds{30};

ContainerSpec shell(const std::string& name, const std::string& script) {
  return {
      .name = name, .rootfs = {.base = std::string{host_image}}, .argv = {"/bin/sh", "-c", script}};
}

}  // namespace

void Actor::step() {
  ++steps_;
  constexpr void (Actor::*verbs[])() = {
      &Actor::create,      &Actor::create,        &Actor::create_wrongly, &Actor::pause,
      &Actor::resume,      &Actor::resume,        &Actor::end_politely,   &Actor::kill,
      &Actor::look,        &Actor::wait,          &Actor::ask_stats,      &Actor::update,
      &Actor::exec,        &Actor::exec_and_wait, &Actor::move,           &Actor::destroy,
      &Actor::fork,        &Actor::fork,          &Actor::grow,           &Actor::keep_spares,
      &Actor::kill_zygote, &Actor::destroy_zygote};
  constexpr std::size_t domain_every = 64;  // It starts an interpreter.
  if (below(domain_every) == 0) return use_domain();
  (this->*verbs[below(std::size(verbs))])();
}

Actor::Slot* Actor::any_slot() {
  return slots_.empty() ? nullptr : &slots_[below(slots_.size())];
}

void Actor::note(std::string text) {
  history_.push_back(std::move(text));
  if (history_.size() > remembered) history_.pop_front();
}

void Actor::expect(bool holds, const std::string& what) {
  if (holds || !disagreement_.empty()) return;
  disagreement_ = what + "\nlast steps:";
  for (const auto& line : history_) disagreement_ += "\n  " + line;
}

void Actor::create() {
  if (slots_.size() >= most_slots) return destroy();
  const bool sleeps = below(3) != 0;
  const bool has_init = below(2) == 0;
  ContainerSpec spec = shell(fresh_name(), sleeps ? "exec sleep 1000" : "exit 7");
  spec.init = has_init ? Init::reaper : Init::none;
  note("create " + spec.name + (sleeps ? " sleeping" : " ending") +
       (has_init ? "" : " without init"));
  auto made = world_.host.create(spec);
  expect_success(made);
  if (!made) return;
  slots_.push_back({.container = std::move(*made), .has_init = has_init});
  if (!sleeps) slots_.back().ends.push_back({Kind::exited, 7});
}

void Actor::create_wrongly() {
  if (const Slot* slot = any_slot(); slot != nullptr && below(2) == 0) {
    note("create a second " + slot->container.name());
    return expect_code(world_.host.create(shell(slot->container.name(), "exit 0")), Errc::exists);
  }
  ContainerSpec spec = shell(fresh_name(), "");
  spec.argv = {"/nonexistent"};
  note("create without a program");
  const auto made = world_.host.create(spec);
  expect_code(made, Errc::not_found);
  expect(!made && made.error().stage == Stage::exec, "the stage is not exec");
}

void Actor::pause() {
  Slot* const slot = any_slot();
  if (slot == nullptr) return;
  note("pause " + slot->container.name());
  const auto done = slot->container.pause();
  if (slot->ends.empty()) {
    expect_success(done);
    slot->state = State::paused;
  } else {  // Whether there is anything left to pause is a race, and it must go on to end.
    static_cast<void>(slot->container.resume().has_value());
  }
}

void Actor::resume() {
  Slot* const slot = any_slot();
  if (slot == nullptr) return;
  note("resume " + slot->container.name());
  const auto done = slot->container.resume();
  if (!slot->ends.empty()) return;
  expect_success(done);
  slot->state = State::running;
}

void Actor::end_politely() {
  Slot* const slot = any_slot();
  if (slot == nullptr || !slot->has_init || slot->state == State::paused) return;
  note("signal " + slot->container.name());
  const auto sent = slot->container.signal(SIGTERM);
  if (slot->state == State::ended) return expect_code(sent, Errc::closed);
  if (slot->ends.empty()) expect_success(sent);
  if (sent) slot->ends.push_back({Kind::signaled, SIGTERM});
}

void Actor::kill() {
  Slot* const slot = any_slot();
  if (slot == nullptr) return;
  note("kill " + slot->container.name());
  expect_success(slot->container.kill());
  if (slot->state != State::ended) slot->ends.push_back({Kind::signaled, SIGKILL});
  slot->state = State::ended;
  check_end(*slot, slot->container.wait());
}

void Actor::check_end(Slot& slot, const Result<ExitStatus>& status) {
  expect_success(status);
  if (!status) return;
  expect(std::ranges::find(slot.ends, *status) != slot.ends.end(),
         "ended in a way of its own: " + std::string{to_string(status->kind)} + " " +
             std::to_string(status->value));
  slot.state = State::ended;
  slot.ends = {*status};
  if (!slot.process) return;
  // With the first process the others are killed.
  const auto end = slot.process->wait();
  expect(end && *end == ExitStatus{Kind::signaled, SIGKILL},
         "its further process has not been killed");
  slot.process.reset();
}

void Actor::look() {
  Slot* const slot = any_slot();
  if (slot == nullptr) return;
  note("look at " + slot->container.name());
  const auto status = slot->container.wait_until(steady_clock::now());
  expect_success(status);
  if (!status) return;
  if (*status) return check_end(*slot, **status);
  expect(slot->state != State::ended, "it runs after its end");
}

void Actor::wait() {
  Slot* const slot = any_slot();
  if (slot == nullptr || slot->ends.empty() || slot->state == State::paused) return;
  note("wait for " + slot->container.name());
  const auto status = slot->container.wait_until(steady_clock::now() + patience);
  expect(status && *status, "it does not end");
  if (status && *status) check_end(*slot, **status);
}

void Actor::ask_stats() {
  Slot* const slot = any_slot();
  if (slot == nullptr) return;
  note("stats of " + slot->container.name());
  expect_success(slot->container.stats());
}

void Actor::update() {
  Slot* const slot = any_slot();
  if (slot == nullptr) return;
  note("update " + slot->container.name());
  const auto most = static_cast<std::uint32_t>(16 + below(64));
  expect_success(slot->container.update({.memory_max = 256U << 20U, .pids_max = most}));
}

void Actor::exec() {
  Slot* const slot = any_slot();
  if (slot == nullptr || slot->process) return;
  note("exec in " + slot->container.name());
  auto made = slot->container.exec({.argv = {"/bin/sleep", "1000"}});
  if (slot->state == State::ended) return expect_code(made, Errc::closed);
  if (slot->state == State::paused) return expect_code(made, Errc::exhausted);
  if (slot->ends.empty()) expect_success(made);
  if (made) slot->process.emplace(std::move(*made));
}

void Actor::exec_and_wait() {
  Slot* const slot = any_slot();
  if (slot == nullptr || slot->state != State::running || !slot->ends.empty()) return;
  note("exec and wait in " + slot->container.name());
  auto made = slot->container.exec({.argv = {"/bin/sh", "-c", "exit 3"}});
  expect_success(made);
  if (!made) return;
  const auto end = made->wait_until(steady_clock::now() + patience);
  expect(end && *end && **end == ExitStatus{Kind::exited, 3}, "the process did not exit with 3");
}

void Actor::move() {
  Slot* const slot = any_slot();
  if (slot == nullptr) return;
  note("move " + slot->container.name());
  Container elsewhere = std::move(slot->container);
  expect_code(slot->container.kill(), Errc::closed);
  expect_code(slot->container.wait(), Errc::closed);
  expect_code(slot->container.stats(), Errc::closed);
  expect(!slot->container.pidfd(), "a container that has gone has a descriptor");
  slot->container = std::move(elsewhere);
}

void Actor::destroy() {
  if (slots_.empty()) return;
  const std::size_t which = below(slots_.size());
  note("destroy " + slots_[which].container.name());
  slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(which));
}

void Actor::destroy_all() {
  slots_.clear();
  zygotes_.clear();
}

}  // namespace sock::test
