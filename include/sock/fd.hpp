#pragma once

// Owning and borrowed file descriptors: the only form in which descriptors cross the API.

#include <utility>

namespace sock {

/// A file descriptor owned by somebody else, borrowed for the length of a call.
class FdRef {
 public:
  constexpr FdRef() noexcept = default;
  constexpr explicit FdRef(int fd) noexcept : fd_{fd} {}
  [[nodiscard]] constexpr int get() const noexcept { return fd_; }
  constexpr explicit operator bool() const noexcept { return fd_ >= 0; }
  friend constexpr bool operator==(FdRef, FdRef) noexcept = default;

 private:
  int fd_ = -1;
};

/// Sole owner of a file descriptor. Every descriptor made by the library is close-on-exec.
class UniqueFd {
 public:
  constexpr UniqueFd() noexcept = default;
  constexpr explicit UniqueFd(int fd) noexcept : fd_{fd} {}
  constexpr UniqueFd(UniqueFd&& other) noexcept : fd_{other.release()} {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  /// Closes the descriptor, if there is one, and takes `fd`. EINTR is not retried: Linux has
  /// already freed the number, and a second close could hit another thread's file.
  void reset(int fd = -1) noexcept;

  [[nodiscard]] constexpr int release() noexcept { return std::exchange(fd_, -1); }
  [[nodiscard]] constexpr int get() const noexcept { return fd_; }
  [[nodiscard]] constexpr FdRef ref() const noexcept { return FdRef{fd_}; }
  constexpr operator FdRef() const noexcept {
    return ref();
  }  // NOLINT(google-explicit-constructor)
  constexpr explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace sock
