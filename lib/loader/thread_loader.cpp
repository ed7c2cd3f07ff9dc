// The engine of threads: each takes the next file and loads it with plain system calls.

#include <algorithm>
#include <atomic>
#include <thread>

#include <fcntl.h>

#include "loader/loader.hpp"
#include "sys/file.hpp"
#include "sys/page_cache.hpp"
#include "sys/thread.hpp"

namespace sock::loader {
namespace {

class ThreadLoader final : public Loader {
 public:
  explicit ThreadLoader(const LoaderOptions& options) : options_{options} {}

  // Where no thread can be started, the caller's does all.
  Result<LoadCount> prefetch(FdRef tree, std::span<const FileRanges> files,
                             std::stop_token stop) override {
    std::atomic<std::size_t> next{0};
    const unsigned allowed = std::min(options_.threads, options_.parallel);
    const std::size_t useful = std::min<std::size_t>(allowed, files.size());
    std::vector<LoadCount> shares(std::max<std::size_t>(useful, 1));
    const auto take_files = [&](LoadCount& share) {
      for (;;) {
        const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= files.size() || stop.stop_requested()) return;
        ++(prefetch_one(tree, files[i], share) ? share.files : share.failed);
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < shares.size(); ++i) {
        auto thread = sys::start_thread([&, i] { take_files(shares[i]); });
        if (!thread.has_value()) break;
        threads.push_back(std::move(*thread));
      }
      take_files(shares[0]);
    }
    LoadCount sum;
    for (const LoadCount& share : shares) {
      sum.files += share.files;
      sum.bytes += share.bytes;
      sum.failed += share.failed;
    }
    return sum;
  }
  [[nodiscard]] Engine engine() const noexcept override { return Engine::threads; }

 private:
  /// Whether it could be loaded as a whole.
  static bool prefetch_one(FdRef tree, const FileRanges& wanted, LoadCount& count) {
    const auto file = sys::open_beneath(tree, wanted.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file.has_value()) return false;
    return std::ranges::all_of(wanted.ranges, [&](const ByteRange& range) {
      if (range.length == 0) return true;  // To the kernel no length means everything.
      count.bytes += range.length;
      return sys::advise_needed(*file, range.offset, range.length).has_value();
    });
  }

  const LoaderOptions options_;
};

}  // namespace

std::unique_ptr<Loader> make_thread_loader(const LoaderOptions& options) {
  return std::make_unique<ThreadLoader>(options);
}

}  // namespace sock::loader
