// One rule for whoever waits: an idle instance, or one that is just being paused, or a new one
// where the function may have one more and the memory is there; if it is not, idle ones end for it.

#include "instance_pool.hpp"

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "blocking.hpp"

namespace sockd {
namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds overtaking_time{500};
// Of one function at once. They are blocking, and whoever makes its own hang has no more than this
// of the threads that start everybody's.
constexpr std::size_t most_starting = 4;

}  // namespace

InstancePool::InstancePool(asio::io_context& loop, asio::thread_pool& workers, PoolLimits limits,
                           Retired retired)
    : loop_{loop},
      workers_{workers},
      limits_{limits},
      retired_{std::move(retired)},
      sweep_{loop},
      changed_{loop} {
  asio::co_spawn(loop_, end_idle_ones(), asio::detached);
}

void InstancePool::serve(DeployedPtr deployed) {
  auto& place = functions_[deployed->stored.name];
  const FunctionPtr before = place;
  const FunctionPtr function =
      std::make_shared<Function>(Function{.deployed = std::move(deployed)});
  place = function;
  if (before) retire(before);
  renew_sandbox_of(*function);
  if (before) renew_sandbox_of(*before);
  serve_waiters();
}

void InstancePool::withdraw(const std::string& name) {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return;
  const FunctionPtr function = found->second;
  functions_.erase(found);
  retire(function);
  renew_sandbox_of(*function);
}

// Those that wait for it are served by it still.
void InstancePool::retire(const FunctionPtr& function) {
  function->is_served = false;
  for (auto& idle : std::exchange(function->idle, {})) dispose_idle(function, std::move(idle));
  retire_if_done(*function);
}

void InstancePool::retire_if_done(Function& function) {
  const bool is_used = function.instances + function.waiting + function.sandboxes > 0;
  if (function.is_served || is_used) return;
  if (function.deployed->members.empty()) retired_(function.deployed->stored);
  for (const auto& member : std::exchange(function.members, {})) {
    --member->sandboxes;
    retire_if_done(*member);
  }
}

InstancePool::FunctionPtr InstancePool::find(const std::string& name) const {
  const auto found = functions_.find(name);
  return found != functions_.end() && found->second->members.empty() ? found->second : nullptr;
}

asio::awaitable<std::expected<InstancePool::Turn, InstancePool::Refusal>>
InstancePool::wait_for_turn(FunctionPtr home, FunctionPtr called) {
  Waiter waiter{.function = home,
                .called = called,
                .timer = asio::steady_timer{loop_},
                .since = Clock::now()};
  waiters_.push_back(&waiter);
  ++home->waiting;
  ++called->queued;
  serve_waiters();
  if (waiter.is_granted) co_return Turn{.idle = std::move(waiter.idle)};
  const bool too_many = called->queued > limits_.function_queue;
  if (too_many || waiters_.size() > limits_.queue) {
    leave_queue(waiter);
    co_return std::unexpected(
        too_many ? Refusal{Outcome::Kind::function_busy, "too many calls of it wait"}
                 : Refusal{Outcome::Kind::overloaded, "too many calls wait"});
  }
  waiter.timer.expires_after(limits_.queue_time);
  co_await waiter.timer.async_wait(as_values);
  if (waiter.is_granted) co_return Turn{.idle = std::move(waiter.idle)};
  leave_queue(waiter);
  co_return std::unexpected(is_closing_
                                ? Refusal{Outcome::Kind::closing, "the server is ending"}
                                : Refusal{Outcome::Kind::overloaded, "it has waited too long"});
}

void InstancePool::leave_queue(Waiter& waiter) {
  waiters_.remove(&waiter);
  stop_waiting(waiter);
  retire_if_done(*waiter.function);
  if (!is_closing_) serve_waiters();  // What was kept for it is for those behind it.
}

void InstancePool::stop_waiting(Waiter& waiter) {
  --waiter.function->waiting;
  --waiter.called->queued;
}

void InstancePool::serve_waiters() {
  for (Waiter* const waiter : waiters_) waiter->function->claimed = 0;
  Round round;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    Waiter& waiter = **at;
    if (!grant(waiter, round)) {
      ++at;
      continue;
    }
    at = waiters_.erase(at);
    stop_waiting(waiter);
    waiter.timer.cancel();
  }
}

bool InstancePool::grant(Waiter& waiter, Round& round) {
  Function& function = *waiter.function;
  if (grant_idle(waiter, round)) return true;
  if (!function.idle.empty()) return false;  // One that needs memory to go on.
  if (function.claimed < function.worked_on) {
    ++function.claimed;
    return false;
  }
  const auto& spec = function.deployed->stored.spec;
  const bool may_start = function.instances < spec.concurrency && function.starting < most_starting;
  if (!may_start || !find_memory(spec.memory, waiter, round)) return false;
  promised_ += spec.memory;
  ++function.instances;
  ++function.starting;
  ++instances_;
  waiter.is_granted = true;
  return true;
}

bool InstancePool::grant_idle(Waiter& waiter, Round& round) {
  Function& function = *waiter.function;
  const std::uint64_t whole = function.deployed->stored.spec.memory;
  while (!function.idle.empty()) {
    // Apart from the others, so that it does not end for itself.
    Idle idle = std::move(function.idle.back());
    function.idle.pop_back();
    if (!idle.instance->may_be_called()) {
      dispose_idle(waiter.function, std::move(idle));
      continue;
    }
    const std::uint64_t more = whole - idle.memory;
    if (more > 0 && !find_memory(more, waiter, round)) {
      function.idle.push_back(std::move(idle));
      return false;
    }
    promised_ += more;
    waiter.idle = std::move(idle);
    waiter.is_granted = true;
    return true;
  }
  return false;
}

// Small instances may overtake a large one for a while, and then no more: what is freed piece by
// piece would never be enough for it.
bool InstancePool::find_memory(std::uint64_t bytes, const Waiter& waiter, Round& round) {
  if (round.is_spoken_for) return false;
  const bool is_patient = Clock::now() - waiter.since < overtaking_time;
  const bool found = has_memory(bytes, is_patient, round);
  round.is_spoken_for = !found && !is_patient;
  return found;
}

// Where it is not there, idle ones give back what they do not need. Whoever has waited for that
// long enough (some are called again before they are paused, and again) has as many end as are
// needed.
bool InstancePool::has_memory(std::uint64_t bytes, bool is_patient, Round& round) {
  if (promised_ + bytes <= limits_.memory) return true;
  if (!round.comes_back) round.comes_back = lower_limits();
  if (*round.comes_back && is_patient) return false;
  for (;;) {
    const std::uint64_t later = promised_ - leaving_ + bytes;
    const std::uint64_t before = leaving_;
    if (later <= limits_.memory) return false;
    evict_one();
    if (leaving_ == before) return false;
  }
}

void InstancePool::evict_one() {
  FunctionPtr oldest;
  for (const auto& function : functions_ | std::views::values)
    if (!function->idle.empty() &&
        (!oldest || function->idle.front().since < oldest->idle.front().since))
      oldest = function;
  if (!oldest) return;
  leaving_ += oldest->idle.front().memory;
  Idle idle = std::move(oldest->idle.front());
  oldest->idle.pop_front();
  dispose_idle(oldest, std::move(idle));
}

void InstancePool::has_started(const FunctionPtr& function) {
  --function->starting;
  if (!is_closing_) serve_waiters();
}

void InstancePool::release(const FunctionPtr& function, std::unique_ptr<Instance> instance) {
  if (!function->is_served || is_closing_) {
    dispose(function, std::move(instance));
    return;
  }
  const auto since = Clock::now();
  function->idle.push_back({.instance = std::move(instance),
                            .since = since,
                            .is_paused = false,
                            .memory = function->deployed->stored.spec.memory});
  serve_waiters();
  asio::co_spawn(loop_, rest(function, since), asio::detached);
}

void InstancePool::dispose(const FunctionPtr& function, std::unique_ptr<Instance> instance) {
  dispose_idle(function, {.instance = std::move(instance),
                          .since = Clock::now(),
                          .is_paused = false,
                          .memory = function->deployed->stored.spec.memory});
}

void InstancePool::dispose_idle(const FunctionPtr& function, Idle idle) {
  asio::co_spawn(loop_, end(function, std::move(idle)), asio::detached);
}

// Its memory is free only when all of it is gone.
asio::awaitable<void> InstancePool::end(FunctionPtr function, Idle ended) {
  Instance* const own = ended.instance.get();
  auto kill = [own] { return own->container().kill(); };
  [[maybe_unused]] const auto killed = co_await run_blocking(workers_, kill);
  // If that failed, its destruction tries again, and waits again. So does that of its origin, if it
  // is the last.
  auto origin = ended.instance->origin();
  std::optional container{std::move(own->container())};
  ended.instance.reset();
  auto destroy = [&container] {
    container.reset();
    return true;
  };
  [[maybe_unused]] const bool destroyed = co_await run_blocking(workers_, destroy);
  asio::post(workers_, [origin = std::move(origin)] {});
  free(function, ended.memory);
}

void InstancePool::give_up(const FunctionPtr& function) {
  --function->starting;
  free(function, function->deployed->stored.spec.memory);
}

void InstancePool::free(const FunctionPtr& function, std::uint64_t memory) {
  promised_ -= memory;
  leaving_ -= std::min(leaving_, memory);
  --function->instances;
  --instances_;
  retire_if_done(*function);
  changed_.cancel();
  serve_waiters();
}

asio::awaitable<void> InstancePool::close(Clock::time_point deadline) {
  is_closing_ = true;
  sweep_.cancel();
  for (Waiter* const waiter : waiters_) waiter->timer.cancel();
  for (const auto& function : functions_ | std::views::values)
    for (auto& idle : std::exchange(function->idle, {})) dispose_idle(function, std::move(idle));
  while (instances_ > 0 && Clock::now() < deadline) {
    changed_.expires_at(deadline);
    co_await changed_.async_wait(as_values);
  }
}

std::vector<FunctionState> InstancePool::functions() const {
  std::vector<FunctionState> states;
  for (const auto& function : functions_ | std::views::values) {
    if (!function->members.empty()) continue;
    const auto home = home_of(function);
    states.push_back(
        {.deployed = function->deployed,
         .home = home->deployed->stored.name,
         .instances = home->instances,
         .idle = home->idle.size(),
         .paused = static_cast<std::size_t>(std::ranges::count(home->idle, true, &Idle::is_paused)),
         .waiting = function->queued});
  }
  return states;
}

}  // namespace sockd
