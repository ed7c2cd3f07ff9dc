#pragma once

// Large blocks of the C library (glibc), each a mapping of its own, which realloc() grows with
// mremap(). A mapping of a file would grow by whatever follows in the file, or by nothing that can
// be touched. So the first page of each such block is to be anonymous, and a mapping apart from the
// rest: mremap() then refuses (KERNEL: EFAULT for a range of two mappings; to shrink is allowed,
// and what is one page by then is anonymous), and realloc() copies instead. Pure.

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace sock::checkpoint {

/// Adds the addresses of the blocks that begin in these whole pages, which are at `address`. What
/// only looks like one does no harm.
inline void find_large_blocks(std::string_view pages, std::uint64_t address,
                              std::vector<std::uint64_t>& blocks) {
  constexpr std::size_t page_size = 4096;
  constexpr std::uint64_t is_mapped = 2;  // Of the three lowest bits, alone.
  for (std::size_t at = 0; at + page_size <= pages.size(); at += page_size) {
    struct {
      std::uint64_t before;  // Of the mapping; more only for blocks of odd alignment.
      std::uint64_t size;
    } head{};
    std::memcpy(&head, pages.data() + at, sizeof head);
    if (head.before == 0 && head.size > page_size && head.size % page_size == is_mapped)
      blocks.push_back(address + at);
  }
}

}  // namespace sock::checkpoint
