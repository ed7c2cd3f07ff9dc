#pragma once

// CRIU fills the memory of a process that it restores page by page, and each page costs a fault.
// Here it is decided which areas are mapped from a file of pages instead (copy on write, shared by
// all that are restored), and what CRIU goes on to copy. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "checkpoint/criu_images.hpp"

namespace sock::checkpoint {

/// Content from one file into another.
struct PageMove {
  std::size_t from;  ///< 0: CRIU's file of pages; n: the nth earlier one.
  std::uint64_t source;
  std::uint64_t target;
  std::uint64_t size;
  friend bool operator==(const PageMove&, const PageMove&) = default;
};

/// The files of pages that a process has, or will have, areas of.
struct PageFiles {
  std::uint32_t own;  ///< The number of the one that is being written.
  /// Those of the snapshot that the process came from: their numbers, and their place in PageMove.
  std::map<std::uint64_t, std::size_t> earlier = {};
  bool replaces_earlier = false;  ///< Whatever is mapped of those is copied.
  /// Sorted: pages that are to be mappings of their own, and anonymous
  /// (large_blocks.hpp).
  std::vector<std::uint64_t> blocks = {};
};

struct MappedMemory {
  std::vector<CriuArea> areas;
  std::vector<CriuPages> pages;  ///< Left to CRIU.
  std::vector<PageMove> left;    ///< Into its new file of pages.
  std::vector<PageMove> moved;   ///< Into our own.
  std::uint64_t size;            ///< Of our own.
};

/// `pages`: as they come in CRIU's file, ascending. Nothing if it would be too many areas, or
/// CRIU's words contradict one another.
std::optional<MappedMemory> map_memory(const std::vector<CriuArea>& areas,
                                       const std::vector<CriuPages>& pages, const PageFiles& files);

}  // namespace sock::checkpoint
