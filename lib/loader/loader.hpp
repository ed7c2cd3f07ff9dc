#pragma once

// Loads many files of one tree at once: into the page cache, or to somebody who takes their
// contents. Two engines do the same: io_uring (one thread, whose operations the kernel does in
// parallel) and threads. Which is used where is decided by bench/image_load
// (docs/decisions/loader.md).
//
// Paths are relative to the tree's directory and are followed through no symlink. What cannot be
// loaded does not keep the rest from it. Memory is bounded by LoaderOptions.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
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
  unsigned parallel = 64;           ///< Files that are open at once.
  unsigned threads = 8;             ///< Of the threads engine; of the other, the kernel's at work.
  std::size_t chunk = 128U << 10U;  ///< Bytes that are read at once; each open file needs so many.
};

struct LoadCount {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;   ///< Read, or advised.
  std::uint64_t failed = 0;  ///< Files that could not be loaded, or not wholly.
  friend bool operator==(const LoadCount&, const LoadCount&) = default;
};

/// Takes what read() gives. Of one file everything comes in order and from one thread at a time; of
/// different files, with the threads engine, from several threads at once.
class Sink {
 public:
  virtual ~Sink() = default;
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// The next bytes of `file`, which is its place in the list. Must not throw.
  virtual void take(std::size_t file, std::string_view bytes) noexcept = 0;
  /// Nothing more comes of it. `whole`: everything that was asked for has come.
  virtual void end(std::size_t file, bool whole) noexcept = 0;
};

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
  /// Reads the ranges, each file's in order. Blocking.
  virtual Result<LoadCount> read(FdRef tree, std::span<const FileRanges> files, Sink& sink) = 0;
};

/// Fails where io_uring is missing, switched off, or refused by a sandbox around us.
Result<std::unique_ptr<Loader>> make_ring_loader(const LoaderOptions& options);
std::unique_ptr<Loader> make_thread_loader(const LoaderOptions& options);

}  // namespace sock::loader
