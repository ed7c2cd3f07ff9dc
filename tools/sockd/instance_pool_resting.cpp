// What instances do while nobody calls them: they are paused, give memory back, and end at last.

#include <algorithm>
#include <ranges>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "blocking.hpp"
#include "instance_pool.hpp"

namespace sockd {
namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds sweep_time{10};
constexpr std::chrono::milliseconds pause_time{10};  // After an answer.
constexpr std::chrono::seconds lower_time{1};        // After the pause, unless memory is short.
constexpr std::uint64_t slack = 1U << 20U;  // Of one that is paused: the kernel's own needs.

/// Lowers the memory limit of one that is paused to what it has. Gives what it may have now.
std::uint64_t lower(sock::Container& container, const FunctionSpec& spec) {
  const auto stats = container.stats();
  if (!stats.has_value() || !stats->memory_current) return spec.memory;
  auto lowered = resources_of(spec);
  lowered.memory_max = std::min(*stats->memory_current + slack, spec.memory);
  // Where the limit stays what it was, so does the promise.
  return container.update(lowered).has_value() ? *lowered.memory_max : spec.memory;
}

}  // namespace

// Both may take longer than a call, so whoever calls at once again does not wait for a pause, nor
// whoever calls now and then for a limit.
asio::awaitable<void> InstancePool::rest(FunctionPtr function, Clock::time_point since) {
  asio::steady_timer timer{loop_, pause_time};
  co_await timer.async_wait(as_values);
  auto pause = [](Idle& idle) {
    return idle.is_paused = idle.instance->container().pause().has_value();
  };
  const bool is_paused = co_await work_on(function, since, pause);
  if (!is_paused) co_return;
  timer.expires_after(lower_time);
  co_await timer.async_wait(as_values);
  co_await lower_limit(function, since);
}

asio::awaitable<void> InstancePool::lower_limit(FunctionPtr function, Clock::time_point since) {
  const auto idle = std::ranges::find(function->idle, since, &Idle::since);
  if (idle == function->idle.end() || idle->is_lowered) co_return;
  const auto& spec = function->deployed->stored.spec;
  auto work = [&spec](Idle& own) {
    own.is_lowered = true;
    own.memory = lower(own.instance->container(), spec);
    return true;
  };
  co_await work_on(function, since, work);
}

// What is paused has more than it needs until then, and what has just answered will be paused.
bool InstancePool::lower_limits() {
  std::vector<std::pair<FunctionPtr, Clock::time_point>> found;
  bool comes_back = false;
  for (const auto& function : functions_ | std::views::values) {
    comes_back = comes_back || function->worked_on > 0;
    for (const auto& idle : function->idle) {
      comes_back = comes_back || !idle.is_lowered;
      if (idle.is_paused && !idle.is_lowered) found.emplace_back(function, idle.since);
    }
  }
  for (const auto& [function, since] : found)
    asio::co_spawn(loop_, lower_limit(function, since), asio::detached);
  return comes_back;
}

// Apart from the idle ones meanwhile: nobody calls it.
template <class Work>
asio::awaitable<bool> InstancePool::work_on(FunctionPtr function, Clock::time_point since,
                                            Work work) {
  const auto found = std::ranges::find(function->idle, since, &Idle::since);
  if (found == function->idle.end()) co_return false;  // It was taken meanwhile.
  Idle idle = std::move(*found);
  function->idle.erase(found);
  ++function->worked_on;
  const std::uint64_t before = idle.memory;
  auto run = [&idle, &work] { return work(idle); };
  const bool done = co_await run_blocking(workers_, run);
  --function->worked_on;
  promised_ -= before - idle.memory;
  if (!done || !function->is_served || is_closing_) {
    dispose_idle(function, std::move(idle));
    co_return false;
  }
  const auto place = std::ranges::upper_bound(function->idle, since, {}, &Idle::since);
  function->idle.insert(place, std::move(idle));
  serve_waiters();
  co_return true;
}

asio::awaitable<void> InstancePool::end_idle_ones() {
  for (;;) {
    sweep_.expires_after(sweep_time);
    auto [failed] = co_await sweep_.async_wait(as_values);
    if (failed || is_closing_) co_return;
    const auto before = Clock::now() - limits_.idle_time;
    for (const auto& function : functions_ | std::views::values)
      while (!function->idle.empty() && function->idle.front().since < before) {
        Idle idle = std::move(function->idle.front());
        function->idle.pop_front();
        dispose_idle(function, std::move(idle));
      }
  }
}

}  // namespace sockd
