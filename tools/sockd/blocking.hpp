#pragma once

// Calls that may wait, off the loop: the library's verbs are synchronous.

#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sockd {

namespace asio = boost::asio;

/// Runs `work` in one of the pool's threads, and goes on in the caller's. What it captures must
/// live until then. It must not throw.
template <class Work>
asio::awaitable<std::invoke_result_t<Work&>> run_blocking(asio::thread_pool& workers, Work work) {
  // In an optional: asio wants a result that can be made of nothing.
  using Held = std::optional<std::invoke_result_t<Work&>>;
  auto wrapped = [](Work own) -> asio::awaitable<Held> { co_return Held{own()}; };
  Held result = co_await asio::co_spawn(workers.get_executor(), wrapped(std::move(work)),
                                        asio::use_awaitable);
  co_return std::move(*result);
}

/// Work on a text: here when that is short, else as run_blocking(), so that nobody waits for it.
template <class Work>
asio::awaitable<std::invoke_result_t<Work&>> run_by_size(asio::thread_pool& workers,
                                                         std::size_t bytes, Work work) {
  constexpr std::size_t most_here = 128U << 10U;  // A millisecond or two.
  if (bytes <= most_here) co_return work();
  co_return co_await run_blocking(workers, std::move(work));
}

}  // namespace sockd
