#pragma once

// Files in memory that we have no use for any more, and that others may have open or mapped: they
// count until nobody has.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sock/fd.hpp"

namespace sockd {

/// Thread-bound.
class LentMemory {
 public:
  /// Of `size` bytes; we have it by open_again() alone.
  void add(sock::UniqueFd file, std::uint64_t size);
  /// Forgets those that nobody has any more. Asks the kernel about each.
  void look();

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t files() const noexcept { return lent_.size(); }

 private:
  struct Lent {
    sock::UniqueFd file;
    std::uint64_t size;
  };
  std::vector<Lent> lent_ = {};
  std::uint64_t bytes_ = 0;
};

}  // namespace sockd
