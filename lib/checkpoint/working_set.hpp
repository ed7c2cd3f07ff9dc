#pragma once

// What of a process image's `pages` a restored process needs until it says hello. The kernel is
// asked once, after the first restore; before later ones that part is fetched at once, if it is not
// in memory any more (REAP, Ustiugov et al., ASPLOS'21). Otherwise each page would wait for the
// disk by itself.
//
// It is kept in memory only: who begins to use a snapshot reads all of it anyway, to verify it.

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "sock/fd.hpp"

#include "loader/loader.hpp"

namespace sock::checkpoint {

/// Nothing depends on it: what is not fetched is read when it is needed. Thread-safe.
class WorkingSet {
 public:
  /// Before a restore; `pages` is the file of that name in `images`. Does not wait for the disk
  /// where the kernel does not.
  void fetch(FdRef images, FdRef pages) const;
  /// After one: of a process that has just said hello, and may go on, or end.
  void record(FdRef pidfd, FdRef plan, FdRef pages);
  /// Of `pages`, sorted; empty before a restore was recorded.
  [[nodiscard]] std::vector<loader::ByteRange> ranges() const;

 private:
  using Files = std::vector<loader::FileRanges>;
  [[nodiscard]] std::shared_ptr<const Files> files() const;

  mutable std::mutex mutex_;  // guards what follows
  int attempts_left_ = 8;     // A process may have ended before it was looked at.
  std::shared_ptr<const Files> files_;
};

/// Sorted, and as few as a disk likes: what is between two that are close is read too. Pure.
std::vector<loader::ByteRange> joined(std::vector<loader::ByteRange> ranges);

}  // namespace sock::checkpoint
