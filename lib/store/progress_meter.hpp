#pragma once

// Tells the caller of an import or an export how far it is, at most twenty times a second.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "sock/image.hpp"

namespace sock::store {

/// count_bytes() may be called from a reading thread; everything else is the caller's own.
class ProgressMeter {
 public:
  using Listener = std::function<void(const ImportProgress&)>;
  /// Both are borrowed; the listener may be empty.
  ProgressMeter(const Listener& listener, const std::uint64_t& entries)
      : listener_{listener}, entries_{entries} {}

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
    if (!listener_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    constexpr std::chrono::milliseconds pause{50};
    next_ = now + pause;
    listener_({.step = step_,
               .bytes_read = bytes_.load(std::memory_order_relaxed),
               .bytes_total = total_,
               .entries = entries_});
  }

 private:
  const Listener& listener_;
  const std::uint64_t& entries_;
  ImportProgress::Step step_ = ImportProgress::Step::waiting;
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::chrono::steady_clock::time_point next_ = {};
};

}  // namespace sock::store
