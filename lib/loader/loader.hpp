#pragma once

// Brings many files of one tree into the page cache at once. Two engines do the same: io_uring (one
// thread, whose operations the kernel does in parallel) and threads. Which is used where is decided
// by bench/image_load (docs/decisions/loader.md).
//
// Paths are relative to the tree's directory and are followed through no symlink. What cannot be
// loaded does not keep the rest from it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::loader {

struct ByteRange {
  std::uint64_t offset;
  std::uint64_t length;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// What to load of one file.
struct FileRanges {
  std::string path;
  std::vector<ByteRange> ranges;
  friend bool operator==(const FileRanges&, const FileRanges&) = default;
};

struct LoaderOptions {
  unsigned parallel = 64;  ///< Files that are open at once.
  unsigned threads = 8;    ///< Of the threads engine; of the other, the kernel's at work.
};

struct LoadCount {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;   ///< That were asked for.
  std::uint64_t failed = 0;  ///< Files that could not be loaded, or not wholly.
  friend bool operator==(const LoadCount&, const LoadCount&) = default;
};

enum class Engine : std::uint8_t { ring, threads };

/// Thread-bound.
class Loader {
 public:
  virtual ~Loader() = default;
  Loader() = default;
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Starts to read the ranges into the page cache; does not wait for the disk where the kernel
  /// does not. Blocking; ends early, with what it has done until then, when asked to stop.
  virtual Result<LoadCount> prefetch(FdRef tree, std::span<const FileRanges> files,
                                     std::stop_token stop) = 0;
  /// Which one did it, the last time.
  [[nodiscard]] virtual Engine engine() const noexcept = 0;
};

/// Fails where io_uring is missing, switched off, or refused by a sandbox around us. A prefetch
/// that has failed was its last.
Result<std::unique_ptr<Loader>> make_ring_loader(const LoaderOptions& options);
std::unique_ptr<Loader> make_thread_loader(const LoaderOptions& options);
/// The ring as long as it works, else threads.
std::unique_ptr<Loader> make_loader(const LoaderOptions& options);

/// Whether files spread over the list are all in memory.
bool is_warm(FdRef tree, std::span<const FileRanges> files);

}  // namespace sock::loader
