#pragma once

// Calls that talk to somebody else, off the loop: who asks goes on in time, even where the thread
// does not.

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "blocking.hpp"
#include "patience.hpp"

namespace sockd {

/// Runs `work` in one of the pool's threads, unless the patience has ended before one is free; it
/// should keep to the patience that it is given. Goes on in the caller's thread with its result, or
/// soon after that end with nothing: then what `work` gives is thrown away, whenever it comes. So
/// `work` owns what it needs, or that outlives the pool's threads. It must not throw.
template <class Work>
asio::awaitable<std::optional<std::invoke_result_t<Work&, Patience&>>> run_patiently(
    asio::thread_pool& workers, Work work) {
  using Value = std::invoke_result_t<Work&, Patience&>;
  // Time for a thread to say what has ended, in more words than we have here.
  constexpr std::chrono::milliseconds grace{100};
  struct Shared {
    explicit Shared(asio::any_io_executor executor) : timer{std::move(executor)} {}
    Patience patience{Patience::Clock::now()};
    asio::steady_timer timer;  // Both of these in the caller's thread alone.
    std::optional<Value> value = {};
  };
  const auto executor = co_await asio::this_coro::executor;
  const auto shared = std::make_shared<Shared>(executor);
  asio::post(workers, [shared, executor, work = std::move(work)]() mutable {
    if (shared->patience.end() <= Patience::Clock::now()) return;
    auto done = [shared, value = work(shared->patience)]() mutable {
      shared->value.emplace(std::move(value));
      shared->timer.cancel();
    };
    asio::post(executor, std::move(done));
  });
  for (;;) {
    const auto end = shared->patience.end() + grace;
    if (shared->value || end <= Patience::Clock::now()) break;
    shared->timer.expires_at(end);
    co_await shared->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return std::move(shared->value);
}

}  // namespace sockd
