// Windows of files, each fetched when half of the one before it has been read.

#include "loader/read_ahead.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace sock::loader {
namespace {

// As much as a slow disk gives in the time of some hundred seeks, and little of any machine's
// memory.
constexpr std::uint64_t window_bytes = 16U << 20U;
constexpr std::size_t window_files = 256;

}  // namespace

ReadAhead::ReadAhead(FdRef tree, Next next) : tree_{tree}, next_{std::move(next)} {}

void ReadAhead::before_one() {
  if (!at_end_ && ahead_.size() <= window_files / 2 && bytes_ahead_ <= window_bytes / 2)
    fetch_window();
  if (ahead_.empty()) return;
  bytes_ahead_ -= ahead_.front();
  ahead_.pop_front();
}

void ReadAhead::fetch_window() {
  std::vector<FileRanges> window;
  for (std::uint64_t bytes = 0; window.size() < window_files && bytes < window_bytes;) {
    auto file = next_();
    if (!file.has_value()) {
      at_end_ = true;
      break;
    }
    // A large file's rest is left to the kernel's own read-ahead: its size may be a lie.
    const std::uint64_t size = std::min(file->size, window_bytes);
    ahead_.push_back(size);
    bytes += size;
    bytes_ahead_ += size;
    window.push_back({std::move(file->path), {{0, size}}});
  }
  if (window.empty() || is_warm(tree_, window)) return;
  if (!loader_) loader_ = make_loader({});
  static_cast<void>(loader_->prefetch(tree_, window, {}));
}

}  // namespace sock::loader
