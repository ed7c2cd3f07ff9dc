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

/// Chains at work, by slot. `Chain` has `pending` (operations whose results are awaited) and
/// `failed`.
template <class Chain>
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
  std::vector<Chain>& all() { return chains_; }

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

/// Prefetching: everything of a chain is known when it starts.
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
  struct Chain {
    std::size_t file = 0;
    unsigned pending = 0;
  };

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
  Slots<Chain> slots_;
  LoadCount count_;
  std::size_t last_file_ = SIZE_MAX;
};

/// Reading: a file that fits into a buffer is one chain; of others each result asks for the next.
class Reading {
 public:
  Reading(sys::Ring& ring, FdRef tree, std::span<const FileRanges> files,
          const LoaderOptions& options, Sink& sink)
      : ring_{ring},
        tree_{tree},
        files_{files},
        chunk_{options.chunk},
        sink_{sink},
        slots_{options.parallel} {}

  Result<LoadCount> run() {
    for (std::size_t next = 0;;) {
      while (next < files_.size() && slots_.has_free() && ring_.room() >= chain_max) start(next++);
      if (slots_.all_free()) return count_;
      if (auto waited = ring_.submit_and_wait(); !waited.has_value()) {
        // The kernel may still write into the buffers: they are never used again.
        for (Chain& chain : slots_.all()) static_cast<void>(chain.buffer.release());
        return std::unexpected(waited.error());
      }
      ring_.collect([&](std::uint64_t tag, int result) {
        const auto slot = static_cast<unsigned>(tag >> 1U);
        if ((tag & read_bit) != 0) take(slots_[slot], result);
        if (result < 0) slots_[slot].failed = true;
        if (--slots_[slot].pending == 0) go_on(slot);
      });
    }
  }

 private:
  struct Chain {
    std::size_t file = 0;
    std::size_t range = 0;
    std::uint64_t done = 0;  ///< Of the range.
    std::size_t wanted = 0;  ///< By the read that is under way.
    unsigned pending = 0;
    bool failed = false;
    bool is_closing = false;
    std::unique_ptr<char[]> buffer = {};
  };
  static constexpr std::uint64_t read_bit = 1;
  static std::uint64_t tag_of(unsigned slot) { return std::uint64_t{slot} << 1U; }

  [[nodiscard]] bool is_whole(const Chain& chain) const {
    return chain.range == files_[chain.file].ranges.size();
  }
  /// The read that is under way is the last one.
  [[nodiscard]] bool ends_with_this(const Chain& chain) const {
    const auto& ranges = files_[chain.file].ranges;
    return chain.range + 1 == ranges.size() &&
           chain.done + chain.wanted == ranges[chain.range].length;
  }

  void start(std::size_t file) {
    const unsigned slot = slots_.take();
    Chain& chain = slots_[slot];
    if (!chain.buffer) chain.buffer = std::make_unique_for_overwrite<char[]>(chunk_);
    chain = {.file = file, .pending = 1, .buffer = std::move(chain.buffer)};
    skip_empty_ranges(chain);
    ring_.open(tree_, files_[file].path.c_str(), slot, tag_of(slot), Link::next_follows);
    is_whole(chain) ? close(slot) : read(slot);
  }

  void read(unsigned slot) {
    Chain& chain = slots_[slot];
    const ByteRange& range = files_[chain.file].ranges[chain.range];
    chain.wanted = std::min<std::uint64_t>(range.length - chain.done, chunk_);
    const bool is_last = ends_with_this(chain);
    ring_.read(slot, {chain.buffer.get(), chain.wanted}, range.offset + chain.done,
               tag_of(slot) | read_bit, is_last ? Link::next_follows : Link::last);
    ++chain.pending;
    if (is_last) close(slot);
  }

  void close(unsigned slot) {
    ring_.close(slot, tag_of(slot), Link::last);
    ++slots_[slot].pending;
    slots_[slot].is_closing = true;
  }

  void take(Chain& chain, int result) {
    if (result <= 0) {
      chain.failed = true;  // Also at the end of a file that is shorter than it was.
      return;
    }
    const auto size = static_cast<std::size_t>(result);
    sink_.take(chain.file, {chain.buffer.get(), size});
    count_.bytes += size;
    chain.done += size;
    skip_empty_ranges(chain);
  }

  // Also those of which everything has been read.
  void skip_empty_ranges(Chain& chain) const {
    const auto& ranges = files_[chain.file].ranges;
    while (chain.range < ranges.size() && chain.done >= ranges[chain.range].length) {
      ++chain.range;
      chain.done = 0;
    }
  }

  void go_on(unsigned slot) {
    Chain& chain = slots_[slot];
    if (!chain.is_closing) return chain.failed || is_whole(chain) ? close(slot) : read(slot);
    const bool whole = !chain.failed && is_whole(chain);
    ++(whole ? count_.files : count_.failed);
    sink_.end(chain.file, whole);
    slots_.give_back(slot);
  }

  sys::Ring& ring_;
  const FdRef tree_;
  const std::span<const FileRanges> files_;
  const std::size_t chunk_;
  Sink& sink_;
  Slots<Chain> slots_;
  LoadCount count_;
};

class RingLoader final : public Loader {
 public:
  RingLoader(sys::Ring ring, const LoaderOptions& options)
      : ring_{std::move(ring)}, options_{options} {}

  Result<LoadCount> prefetch(FdRef tree, std::span<const FileRanges> files,
                             std::stop_token stop) override {
    return Prefetching{ring_, tree, files, options_.parallel}.run(stop);
  }
  Result<LoadCount> read(FdRef tree, std::span<const FileRanges> files, Sink& sink) override {
    return Reading{ring_, tree, files, options_, sink}.run();
  }

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
