#pragma once

// Writing pages of which many are zero.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "base/try.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {

/// A page of zeros is not written: it stays a hole. `bytes` and `offset` are whole pages.
inline Result<> write_sparsely(FdRef file, std::string_view bytes, std::uint64_t offset) {
  constexpr std::size_t page_size = 4096;
  const auto is_zero = [](std::string_view page) {
    return page.find_first_not_of('\0') == std::string_view::npos;
  };
  while (!bytes.empty()) {
    std::size_t size = 0;
    while (size < bytes.size() && !is_zero(bytes.substr(size, page_size))) size += page_size;
    size = std::min(size, bytes.size());
    if (size > 0) SOCK_TRY(sys::write_at_offset(file, bytes.substr(0, size), offset));
    const auto next = std::min(std::max(size, page_size), bytes.size());
    bytes.remove_prefix(next);
    offset += next;
  }
  return {};
}

}  // namespace sock::checkpoint
