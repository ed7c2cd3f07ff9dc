#pragma once

// A bounded queue of byte chunks between one thread that reads and one that writes. Chunks go
// round: an empty one comes back to be filled again, so memory is bounded and is touched only once.
//
// Thread-safe for one producer and one consumer.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "sock/result.hpp"

namespace sock::image {

class ChunkQueue {
 public:
  static constexpr std::size_t chunk_size = 256U << 10U;
  static constexpr std::size_t most_chunks = 16;

  /// An empty chunk to fill; empty when the consumer has gone. Blocking: until one is free.
  std::optional<std::string> take_empty() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return is_cancelled_ || made_ < most_chunks || !empty_.empty(); });
    if (is_cancelled_) return std::nullopt;
    std::string chunk;
    if (empty_.empty()) {
      ++made_;
      chunk.reserve(chunk_size);
    } else {
      chunk = std::move(empty_.back());
      empty_.pop_back();
      chunk.clear();
    }
    return chunk;
  }

  void put_full(std::string chunk) {
    const std::lock_guard lock{mutex_};
    full_.push_back(std::move(chunk));
    changed_.notify_all();
  }

  /// The producer's last word.
  void close(Result<> outcome) {
    const std::lock_guard lock{mutex_};
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  /// The next full chunk; an empty one at the end; the producer's error after its last chunk.
  /// Blocking: until there is something.
  Result<std::string> take_full() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return !full_.empty() || outcome_.has_value(); });
    if (!full_.empty()) {
      std::string chunk = std::move(full_.front());
      full_.pop_front();
      return chunk;
    }
    if (!outcome_->has_value()) return std::unexpected(outcome_->error());
    return std::string{};
  }

  void give_back(std::string chunk) {
    if (chunk.capacity() == 0) return;
    const std::lock_guard lock{mutex_};
    empty_.push_back(std::move(chunk));
    changed_.notify_all();
  }

  /// The consumer has gone: the producer stops.
  void cancel() {
    const std::lock_guard lock{mutex_};
    is_cancelled_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  std::deque<std::string> full_;
  std::deque<std::string> empty_;
  std::size_t made_ = 0;
  std::optional<Result<>> outcome_;
  bool is_cancelled_ = false;
};

}  // namespace sock::image
