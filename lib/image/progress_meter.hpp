#pragma once

// Tells the caller of an import how far it is, at most twenty times a second.

#include <atomic>
#include <chrono>
#include <cstdint>

#include "sock/image.hpp"

namespace sock::image {

/// count_bytes() may be called from the reading thread; everything else is the importing thread's.
class ProgressMeter {
 public:
  ProgressMeter(const ImportOptions& options, const std::uint64_t& entries)
      : options_{options}, entries_{entries} {}

  void set_total(std::uint64_t bytes) { total_ = bytes; }
  void count_bytes(std::uint64_t bytes) noexcept {
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  /// Tells at once.
  void enter(ImportProgress::Step step) {
    step_ = step;
    next_ = {};
    tell();
  }
  void tell() {
    if (!options_.progress) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    constexpr std::chrono::milliseconds pause{50};
    next_ = now + pause;
    options_.progress({.step = step_,
                       .bytes_read = bytes_.load(std::memory_order_relaxed),
                       .bytes_total = total_,
                       .entries = entries_});
  }

 private:
  const ImportOptions& options_;
  const std::uint64_t& entries_;
  ImportProgress::Step step_ = ImportProgress::Step::waiting;
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::chrono::steady_clock::time_point next_ = {};
};

}  // namespace sock::image
