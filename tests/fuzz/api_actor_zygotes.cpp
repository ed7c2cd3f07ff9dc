// The verbs of zygotes and domains.

#include <csignal>

#include "api_actor.hpp"

namespace sock::test {
namespace {

constexpr std::size_t most_slots = 4;
constexpr std::size_t most_zygotes = 2;

ContainerSpec python(const std::string& name, const std::string& code) {
  ContainerSpec spec{
      .name = name, .rootfs = {.base = std::string{host_image}}, .argv = {"python3", "-c", code}};
  spec.init = Init::none;
  return spec;
}

constexpr const char* sleeping = "import signal; signal.pause()";

}  // namespace

Actor::ZygoteSlot* Actor::any_zygote() {
  return zygotes_.empty() ? nullptr : &zygotes_[below(zygotes_.size())];
}

void Actor::grow() {
  if (zygotes_.size() >= most_zygotes) return destroy_zygote();
  ZygoteSlot* const parent = below(2) == 0 ? any_zygote() : nullptr;
  const bool alive = parent == nullptr || parent->alive;
  note(alive ? "grow" : "grow from a dead zygote");
  auto& from = parent != nullptr ? parent->zygote : world_.zygote;
  auto made = from.grow({.modules = {below(2) == 0 ? "json" : "bisect"}});
  if (!alive) return expect_code(made, Errc::closed);
  expect_success(made);
  if (made) zygotes_.push_back({.zygote = std::move(*made)});
}

void Actor::fork() {
  if (slots_.size() >= most_slots) return destroy();
  ZygoteSlot* const own = any_zygote();
  const bool alive = own == nullptr || own->alive;
  const bool sleeps = below(2) == 0;
  const auto spec = python(fresh_name(), sleeps ? sleeping : "raise SystemExit(7)");
  note("fork " + spec.name + (own != nullptr ? "" : " from the shared zygote") +
       (sleeps ? " sleeping" : " ending"));
  auto made = (own != nullptr ? own->zygote : world_.zygote).fork(spec);
  if (!alive) return expect_code(made, Errc::closed);
  expect_success(made);
  if (!made) return;
  slots_.push_back({.container = std::move(*made)});
  if (!sleeps) slots_.back().ends.push_back({ExitStatus::Kind::exited, 7});
}

void Actor::keep_spares() {
  ZygoteSlot* const slot = any_zygote();
  if (slot == nullptr) return;
  const std::size_t count = below(3);
  note("keep " + std::to_string(count) + " spares");
  const auto kept = slot->zygote.keep_spares(count);
  if (slot->alive) expect_success(kept);
  expect_code(slot->zygote.keep_spares(65), Errc::invalid_spec);
}

void Actor::kill_zygote() {
  ZygoteSlot* const slot = any_zygote();
  if (slot == nullptr) return;
  note("kill a zygote");
  expect_success(slot->zygote.kill());
  slot->alive = false;
}

void Actor::destroy_zygote() {
  if (zygotes_.empty()) return;
  note("destroy a zygote");
  zygotes_.erase(zygotes_.begin() + static_cast<std::ptrdiff_t>(below(zygotes_.size())));
}

void Actor::use_domain() {
  ZygoteDomainSpec spec = world_.domain;
  spec.name = fresh_name();
  note("open domain " + spec.name);
  auto domain = world_.host.open_domain(spec);
  expect_success(domain);
  if (!domain) return;
  auto zygote = domain->start_zygote();
  expect_success(zygote);
  if (!zygote) return;
  auto container = zygote->fork(python(fresh_name(), sleeping));
  expect_success(container);
  note("kill the domain");
  expect_success(domain->container().kill());
  if (!container) return;
  const auto status = container->wait();
  expect(status && *status == ExitStatus{ExitStatus::Kind::signaled, SIGKILL},
         "a forked container outlives its domain");
  expect_code(zygote->fork(python(fresh_name(), "pass")), Errc::closed);
}

}  // namespace sock::test
