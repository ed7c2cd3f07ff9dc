#pragma once

// An io_uring: system calls on files that are queued, done in any number at once, and collected.
// Files are opened into numbered slots of the ring's own table, never into descriptors of this
// process. Errors carry no stage.

#include <cstdint>
#include <functional>
#include <memory>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::sys {

struct RingOptions {
  unsigned entries = 256;  ///< Operations that can wait to be submitted.
  unsigned slots = 64;     ///< Files that can be open at once.
  unsigned workers = 0;    ///< Kernel threads for what would block; 0: the kernel's own limit.
};

/// Move-only and thread-bound: the thread that has made it uses it.
/// KERNEL: since 5.19 (a table of slots without files).
class Ring {
 public:
  /// Fails where io_uring is missing, switched off, or refused by a sandbox around us.
  static Result<Ring> create(const RingOptions& options);
  Ring(Ring&&) noexcept;
  Ring& operator=(Ring&&) noexcept;
  ~Ring();

  /// How many operations can be queued before the next submit().
  [[nodiscard]] unsigned room() const noexcept;

  // Each needs room. `tag` comes back with the result. What is linked starts when the operation
  // before it has ended, however that has ended.
  enum class Link : bool { last, next_follows };
  /// For reading; as open_beneath(). `path` is read by submit().
  void open(FdRef dir, const char* path, unsigned slot, std::uint64_t tag, Link link) noexcept;
  /// Starts to read a range into the page cache (POSIX_FADV_WILLNEED).
  void advise(unsigned slot, std::uint64_t offset, std::uint64_t length, std::uint64_t tag,
              Link link) noexcept;
  void close(unsigned slot, std::uint64_t tag, Link link) noexcept;

  /// Hands over what is queued, and waits until at least one operation has ended.
  Result<> submit_and_wait();
  /// Gives (tag, result) of what has ended: 0, or a negative errno value.
  void collect(const std::function<void(std::uint64_t, int)>& take);

  struct Impl;  ///< This file's own.

 private:
  explicit Ring(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock::sys
