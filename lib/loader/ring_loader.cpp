// The engine of io_uring: for each file a chain of opening, loading and closing, many chains at
// once.

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "loader/loader.hpp"
#include "sys/ring.hpp"

namespace sock::loader {
namespace {

using Link = sys::Ring::Link;

constexpr unsigned chain_max = 32;  // Operations, so that two chains always fit.
// A length has 32 bits in the kernel's interface.
constexpr std::uint64_t advice_max = 1ULL << 30U;

/// What is under way for a file, or for a part of its ranges.
struct Chain {
  std::size_t file = 0;
  unsigned pending = 0;  ///< Operations whose results are awaited.
};

/// Chains at work, by slot.
class Slots {
 public:
  explicit Slots(unsigned count) : chains_(count) {
    for (unsigned slot = count; slot > 0; --slot) free_.push_back(slot - 1);
  }
  [[nodiscard]] bool has_free() const { return !free_.empty(); }
  [[nodiscard]] bool all_free() const { return free_.size() == chains_.size(); }
  unsigned take() {
    const unsigned slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(unsigned slot) { free_.push_back(slot); }
  Chain& operator[](unsigned slot) { return chains_[slot]; }

 private:
  std::vector<Chain> chains_;
  std::vector<unsigned> free_;
};

/// The ranges of a list of files, cut into chains.
class Pieces {
 public:
  explicit Pieces(std::span<const FileRanges> files) : files_{files} {}
  struct Piece {
    std::size_t file;
    std::vector<ByteRange> ranges;
  };
  [[nodiscard]] bool at_end() const { return file_ == files_.size(); }

  Piece next() {
    Piece piece{file_, {}};
    const auto& ranges = files_[file_].ranges;
    while (range_ < ranges.size() && piece.ranges.size() < chain_max - 2) {
      const ByteRange whole = ranges[range_];
      const ByteRange part{whole.offset + done_, std::min(whole.length - done_, advice_max)};
      if (part.length > 0) piece.ranges.push_back(part);
      done_ += part.length;
      if (done_ >= whole.length) {
        ++range_;
        done_ = 0;
      }
    }
    if (range_ == ranges.size()) {
      ++file_;
      range_ = 0;
    }
    return piece;
  }

 private:
  std::span<const FileRanges> files_;
  std::size_t file_ = 0;
  std::size_t range_ = 0;
  std::uint64_t done_ = 0;  ///< Of the range.
};

class Prefetching {
 public:
  Prefetching(sys::Ring& ring, FdRef tree, std::span<const FileRanges> files, unsigned parallel)
      : ring_{ring}, tree_{tree}, files_{files}, pieces_{files}, slots_{parallel} {}

  Result<LoadCount> run(const std::stop_token& stop) {
    std::vector<bool> failed(files_.size(), false);
    for (;;) {
      while (!pieces_.at_end() && !stop.stop_requested() && slots_.has_free() &&
             ring_.room() >= chain_max)
        start(pieces_.next());
      if (slots_.all_free()) break;
      SOCK_TRY(ring_.submit_and_wait());
      ring_.collect([&](std::uint64_t slot, int result) {
        Chain& chain = slots_[static_cast<unsigned>(slot)];
        if (result < 0) failed[chain.file] = true;
        if (--chain.pending == 0) slots_.give_back(static_cast<unsigned>(slot));
      });
    }
    count_.failed = static_cast<std::uint64_t>(std::ranges::count(failed, true));
    count_.files -= count_.failed;
    return count_;
  }

 private:
  void start(const Pieces::Piece& piece) {
    const unsigned slot = slots_.take();
    slots_[slot] = {.file = piece.file, .pending = static_cast<unsigned>(piece.ranges.size()) + 2};
    ring_.open(tree_, files_[piece.file].path.c_str(), slot, slot, Link::next_follows);
    for (const ByteRange& range : piece.ranges) {
      ring_.advise(slot, range.offset, range.length, slot, Link::next_follows);
      count_.bytes += range.length;
    }
    ring_.close(slot, slot, Link::last);
    if (last_file_ != piece.file) ++count_.files;
    last_file_ = piece.file;
  }

  sys::Ring& ring_;
  const FdRef tree_;
  const std::span<const FileRanges> files_;
  Pieces pieces_;
  Slots slots_;
  LoadCount count_;
  std::size_t last_file_ = SIZE_MAX;
};

class RingLoader final : public Loader {
 public:
  RingLoader(sys::Ring ring, const LoaderOptions& options)
      : ring_{std::move(ring)}, options_{options} {}

  Result<LoadCount> prefetch(FdRef tree, std::span<const FileRanges> files,
                             std::stop_token stop) override {
    return Prefetching{ring_, tree, files, options_.parallel}.run(stop);
  }
  [[nodiscard]] Engine engine() const noexcept override { return Engine::ring; }

 private:
  sys::Ring ring_;
  const LoaderOptions options_;
};

}  // namespace

Result<std::unique_ptr<Loader>> make_ring_loader(const LoaderOptions& options) {
  auto ring = SOCK_TRY(sys::Ring::create({.entries = std::max(2 * chain_max, 4 * options.parallel),
                                          .slots = options.parallel,
                                          .workers = options.threads}));
  return std::unique_ptr<Loader>{std::make_unique<RingLoader>(std::move(ring), options)};
}

}  // namespace sock::loader
