// One rule for whoever waits: an idle instance, or one that is just being paused, or a new one
// where the function may have one more and the memory is there; if it is not, idle ones end for it.

#include "instance_pool.hpp"

#include <algorithm>
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
constexpr std::chrono::seconds sweep_time{10};
constexpr std::chrono::milliseconds pause_time{10};  // After an answer.
constexpr std::chrono::milliseconds overtaking_time{500};

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
  auto& function = functions_[deployed->stored.name];
  if (function) retire(function);
  function = std::make_shared<Function>(Function{.deployed = std::move(deployed)});
  serve_waiters();
}

void InstancePool::withdraw(const std::string& name) {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return;
  const FunctionPtr function = found->second;
  functions_.erase(found);
  retire(function);
}

// Those that wait for it are served by it still.
void InstancePool::retire(const FunctionPtr& function) {
  function->is_served = false;
  for (auto& idle : std::exchange(function->idle, {})) dispose(function, std::move(idle.instance));
  retire_if_done(*function);
}

void InstancePool::retire_if_done(const Function& function) {
  if (!function.is_served && function.instances == 0 && function.waiting == 0)
    retired_(function.deployed->stored);
}

InstancePool::FunctionPtr InstancePool::find(const std::string& name) const {
  const auto found = functions_.find(name);
  return found != functions_.end() ? found->second : nullptr;
}

asio::awaitable<std::expected<InstancePool::Turn, InstancePool::Refusal>>
InstancePool::wait_for_turn(FunctionPtr function) {
  Waiter waiter{.function = function, .timer = asio::steady_timer{loop_}, .since = Clock::now()};
  waiters_.push_back(&waiter);
  ++function->waiting;
  serve_waiters();
  if (waiter.is_granted) co_return Turn{.idle = std::move(waiter.idle)};
  const bool too_many = function->waiting > limits_.function_queue;
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
  --waiter.function->waiting;
  retire_if_done(*waiter.function);
}

void InstancePool::serve_waiters() {
  for (Waiter* const waiter : waiters_) waiter->function->claimed = 0;
  bool is_spoken_for = false;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    Waiter& waiter = **at;
    if (!grant(waiter, is_spoken_for)) {
      ++at;
      continue;
    }
    at = waiters_.erase(at);
    --waiter.function->waiting;
    waiter.timer.cancel();
  }
}

// Small instances may overtake a large one for a while, and then no more: what is freed piece by
// piece would never be enough for it.
bool InstancePool::grant(Waiter& waiter, bool& is_spoken_for) {
  Function& function = *waiter.function;
  while (!function.idle.empty()) {
    waiter.idle = std::move(function.idle.back());
    function.idle.pop_back();
    waiter.is_granted = waiter.idle->instance->may_be_called();
    if (waiter.is_granted) return true;
    dispose(waiter.function, std::move(waiter.idle->instance));
    waiter.idle.reset();
  }
  if (function.claimed < function.pausing) {
    ++function.claimed;
    return false;
  }
  const auto& spec = function.deployed->stored.spec;
  if (function.instances >= spec.concurrency || is_spoken_for) return false;
  if (!has_memory(spec.memory)) {
    is_spoken_for = Clock::now() - waiter.since > overtaking_time;
    return false;
  }
  promised_ += spec.memory;
  ++function.instances;
  ++instances_;
  waiter.is_granted = true;
  return true;
}

// Where it is not there, as many idle ones end as are needed for it.
bool InstancePool::has_memory(std::uint64_t bytes) {
  if (promised_ + bytes <= limits_.memory) return true;
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
  leaving_ += oldest->deployed->stored.spec.memory;
  auto instance = std::move(oldest->idle.front().instance);
  oldest->idle.pop_front();
  dispose(oldest, std::move(instance));
}

void InstancePool::release(const FunctionPtr& function, std::unique_ptr<Instance> instance) {
  if (!function->is_served || is_closing_) {
    dispose(function, std::move(instance));
    return;
  }
  const auto since = Clock::now();
  function->idle.push_back({.instance = std::move(instance), .since = since, .is_paused = false});
  serve_waiters();
  asio::co_spawn(loop_, pause_soon(function, since), asio::detached);
}

// A pause may take longer than a call, so whoever calls at once again does not wait for it.
asio::awaitable<void> InstancePool::pause_soon(FunctionPtr function, Clock::time_point since) {
  asio::steady_timer timer{loop_, pause_time};
  co_await timer.async_wait(as_values);
  const auto idle = std::ranges::find(function->idle, since, &Idle::since);
  if (idle == function->idle.end() || idle->is_paused) co_return;  // It was taken meanwhile.
  auto instance = std::move(idle->instance);
  function->idle.erase(idle);
  ++function->pausing;
  Instance* const own = instance.get();
  auto pause = [own] { return own->container().pause(); };
  const auto paused = co_await run_blocking(workers_, pause);
  --function->pausing;
  if (!paused.has_value() || !function->is_served || is_closing_) {
    dispose(function, std::move(instance));
    co_return;
  }
  const auto place = std::ranges::upper_bound(function->idle, since, {}, &Idle::since);
  function->idle.insert(place,
                        {.instance = std::move(instance), .since = since, .is_paused = true});
  serve_waiters();
}

void InstancePool::dispose(const FunctionPtr& function, std::unique_ptr<Instance> instance) {
  asio::co_spawn(loop_, end(function, std::move(instance)), asio::detached);
}

// Its memory is free only when all of it is gone.
asio::awaitable<void> InstancePool::end(FunctionPtr function, std::unique_ptr<Instance> instance) {
  Instance* const own = instance.get();
  auto kill = [own] { return own->container().kill(); };
  [[maybe_unused]] const auto killed = co_await run_blocking(workers_, kill);
  // If that failed, its destruction tries again. Its origin's would wait, if it is the last.
  auto origin = instance->origin();
  instance.reset();
  asio::post(workers_, [origin = std::move(origin)] {});
  give_up(function);
}

void InstancePool::give_up(const FunctionPtr& function) {
  const std::uint64_t memory = function->deployed->stored.spec.memory;
  promised_ -= memory;
  leaving_ -= std::min(leaving_, memory);
  --function->instances;
  --instances_;
  retire_if_done(*function);
  changed_.cancel();
  serve_waiters();
}

asio::awaitable<void> InstancePool::end_idle_ones() {
  for (;;) {
    sweep_.expires_after(sweep_time);
    auto [failed] = co_await sweep_.async_wait(as_values);
    if (failed || is_closing_) co_return;
    const auto before = Clock::now() - limits_.idle_time;
    for (const auto& function : functions_ | std::views::values)
      while (!function->idle.empty() && function->idle.front().since < before) {
        auto instance = std::move(function->idle.front().instance);
        function->idle.pop_front();
        dispose(function, std::move(instance));
      }
  }
}

asio::awaitable<void> InstancePool::close(Clock::time_point deadline) {
  is_closing_ = true;
  sweep_.cancel();
  for (Waiter* const waiter : waiters_) waiter->timer.cancel();
  for (const auto& function : functions_ | std::views::values)
    for (auto& idle : std::exchange(function->idle, {}))
      dispose(function, std::move(idle.instance));
  while (instances_ > 0 && Clock::now() < deadline) {
    changed_.expires_at(deadline);
    co_await changed_.async_wait(as_values);
  }
}

std::vector<FunctionState> InstancePool::functions() const {
  std::vector<FunctionState> states;
  for (const auto& function : functions_ | std::views::values)
    states.push_back({.deployed = function->deployed,
                      .instances = function->instances,
                      .idle = function->idle.size(),
                      .paused = static_cast<std::size_t>(
                          std::ranges::count(function->idle, true, &Idle::is_paused)),
                      .waiting = function->waiting});
  return states;
}

}  // namespace sockd
