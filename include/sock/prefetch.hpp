#pragma once

// Prefetching: a start from files that are not in memory waits for the disk again and again, one
// file after another. A list of what such a start reads, recorded once, brings all of it into the
// page cache at once, while the container starts.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sock/result.hpp"

namespace sock {

/// What loads files.
enum class LoadEngine : std::uint8_t {
  automatic,  ///< io_uring where the kernel and what is around us allow it.
  io_uring,
  threads,
};
[[nodiscard]] std::string_view to_string(LoadEngine) noexcept;

struct PrefetchOptions {
  LoadEngine engine = LoadEngine::automatic;
  unsigned parallel = 64;  ///< Files that are open at once, 1 to 1024.
  /// Also when a sample of the list is in memory already.
  bool even_if_warm = false;
};

/// What was recorded of one command.
struct PrefetchSummary {
  std::vector<std::string> command;
  std::uint64_t files = 0;
  std::uint64_t ranges = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const PrefetchSummary&, const PrefetchSummary&) = default;
};

struct PrefetchReport {
  bool was_warm = false;  ///< Everything that was looked at was in memory: nothing was done.
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t failed = 0;                   ///< Files that could not be opened.
  LoadEngine engine = LoadEngine::automatic;  ///< What was used; automatic when nothing was done.
  std::chrono::microseconds took{0};
};

/// A prefetch at work, in a thread of its own. Move-only; its destructor stops it and waits for
/// the thread.
class Prefetch {
 public:
  Prefetch(Prefetch&&) noexcept;
  Prefetch& operator=(Prefetch&&) noexcept;
  ~Prefetch();

  /// Waits until everything has been asked for. The second call gives the same. On failure:
  /// Errc::unsupported where the engine that was asked for cannot be used.
  Result<PrefetchReport> wait();

  struct Impl;  ///< The library's own.

 private:
  friend class ImageRoot;
  explicit Prefetch(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
