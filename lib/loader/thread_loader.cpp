// The engine of threads: each takes the next file and loads it with plain system calls.

#include <algorithm>
#include <atomic>
#include <functional>
#include <new>
#include <thread>

#include <fcntl.h>

#include "base/try.hpp"
#include "loader/loader.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/page_cache.hpp"
#include "sys/thread.hpp"

namespace sock::loader {
namespace {

/// What one thread has done.
struct Share {
  LoadCount count;
  std::string buffer;
};

class ThreadLoader final : public Loader {
 public:
  explicit ThreadLoader(const LoaderOptions& options) : options_{options} {}

  Result<LoadCount> prefetch(FdRef tree, std::span<const FileRanges> files,
                             std::stop_token stop) override {
    return run(files.size(), stop, [&](std::size_t i, Share& share) {
      const auto file = open(tree, files[i].path);
      const bool whole = file.has_value() && std::ranges::all_of(files[i].ranges, [&](auto& range) {
                           // To the kernel no length means everything.
                           if (range.length == 0) return true;
                           share.count.bytes += range.length;
                           return sys::advise_needed(*file, range.offset, range.length).has_value();
                         });
      count(share.count, whole);
    });
  }

  Result<LoadCount> read(FdRef tree, std::span<const FileRanges> files, Sink& sink) override {
    return run(files.size(), {}, [&](std::size_t i, Share& share) {
      share.buffer.resize(options_.chunk);
      const auto file = open(tree, files[i].path);
      const bool whole = file.has_value() && std::ranges::all_of(files[i].ranges, [&](auto& range) {
                           return read_range(*file, range, share, i, sink);
                         });
      sink.end(i, whole);
      count(share.count, whole);
    });
  }

 private:
  using Work = std::function<void(std::size_t, Share&)>;

  static Result<UniqueFd> open(FdRef tree, const std::string& path) {
    return sys::open_beneath(tree, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  }

  static void count(LoadCount& count, bool whole) { ++(whole ? count.files : count.failed); }

  static bool read_range(FdRef file, ByteRange range, Share& share, std::size_t i, Sink& sink) {
    while (range.length > 0) {
      const auto wanted = std::min<std::uint64_t>(range.length, share.buffer.size());
      const auto size = sys::read_at_offset(file, share.buffer.data(), wanted, range.offset);
      if (!size.has_value() || *size == 0) return false;
      sink.take(i, {share.buffer.data(), *size});
      share.count.bytes += *size;
      range = {range.offset + *size, range.length - *size};
    }
    return true;
  }

  // Where no thread can be started, the caller's does all.
  Result<LoadCount> run(std::size_t files, std::stop_token stop, const Work& work) const {
    std::atomic<std::size_t> next{0};
    const unsigned allowed = std::min(options_.threads, options_.parallel);
    const std::size_t others = std::min<std::size_t>(std::max(allowed, 1U), files);
    std::vector<Share> shares(std::max<std::size_t>(others, 1));
    const auto take_files = [&](Share& share) {
      for (;;) {
        const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= files || stop.stop_requested()) return;
        try {
          work(i, share);
        } catch (const std::bad_alloc&) {
          ++share.count.failed;
        }
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
    for (const Share& share : shares) {
      sum.files += share.count.files;
      sum.bytes += share.count.bytes;
      sum.failed += share.count.failed;
    }
    return sum;
  }

  const LoaderOptions options_;
};

}  // namespace

std::unique_ptr<Loader> make_thread_loader(const LoaderOptions& options) {
  return std::make_unique<ThreadLoader>(options);
}

}  // namespace sock::loader
