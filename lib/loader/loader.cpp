// Which engine is used, and whether any is needed.

#include "loader/loader.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>

#include "sys/file.hpp"
#include "sys/page_cache.hpp"

namespace sock::loader {
namespace {

constexpr std::size_t sample_size = 16;  // Files; asking for one takes some microseconds.

class EitherLoader final : public Loader {
 public:
  explicit EitherLoader(const LoaderOptions& options) : threads_{make_thread_loader(options)} {
    if (auto ring = make_ring_loader(options); ring.has_value()) ring_ = std::move(*ring);
  }

  Result<LoadCount> prefetch(FdRef tree, std::span<const FileRanges> files,
                             std::stop_token stop) override {
    if (ring_) {
      if (auto done = ring_->prefetch(tree, files, stop); done.has_value()) return done;
      ring_.reset();
    }
    // Files that the ring has come to are asked for once more, which costs little.
    return threads_->prefetch(tree, files, stop);
  }
  [[nodiscard]] Engine engine() const noexcept override {
    return ring_ ? Engine::ring : Engine::threads;
  }

 private:
  std::unique_ptr<Loader> ring_;
  std::unique_ptr<Loader> threads_;
};

std::uint64_t overlap(const ByteRange& wanted, const sys::CachedRange& cached) {
  const std::uint64_t begin = std::max(wanted.offset, cached.offset);
  const std::uint64_t end = std::min(wanted.offset + wanted.length, cached.offset + cached.length);
  return end > begin ? end - begin : 0;
}

bool is_cached(FdRef tree, const FileRanges& wanted) {
  const auto file = sys::open_beneath(tree, wanted.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.has_value()) return true;  // Nothing to be done about it.
  const auto cached = sys::cached_ranges(*file);
  if (!cached.has_value()) return false;
  return std::ranges::all_of(wanted.ranges, [&](const auto& range) {
    std::uint64_t there = 0;
    for (const auto& part : *cached) there += overlap(range, part);
    return there == range.length;
  });
}

}  // namespace

std::unique_ptr<Loader> make_loader(const LoaderOptions& options) {
  return std::make_unique<EitherLoader>(options);
}

bool is_warm(FdRef tree, std::span<const FileRanges> files) {
  const std::size_t step = std::max<std::size_t>(1, files.size() / sample_size);
  for (std::size_t i = 0; i < files.size(); i += step)
    if (!is_cached(tree, files[i])) return false;
  return true;
}

}  // namespace sock::loader
