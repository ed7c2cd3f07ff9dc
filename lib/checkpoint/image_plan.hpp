#pragma once

// How a parked process's memory is put into a process image (wire/process_image.hpp): what is
// mapped from its file again, what is copied into `pages`, what is only zero. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

#include "checkpoint/memory_areas.hpp"
#include "sys/process_pages.hpp"
#include "wire/process_image.hpp"

namespace sock::checkpoint {

/// A file that can be mapped again: by its path in the process's root.
struct MappedFile {
  std::string path;
  std::uint64_t size;
  std::int64_t mtime_s;
  std::uint32_t mtime_ns;
};
/// By MemoryArea::file. What is not here is copied.
using MappedFiles = std::map<std::string, MappedFile, std::less<>>;

/// An area, and which of its pages are the process's own.
struct WrittenArea {
  MemoryArea area;
  std::vector<sys::PageRange> written;
};

/// Memory to be copied into `pages`.
struct PageCopy {
  std::uint64_t begin;
  std::uint64_t size;
  std::uint64_t offset;
};

struct ImagePlan {
  std::vector<wire::image::Special> specials;
  std::vector<MappedFile> files;
  std::vector<wire::image::Mapping> mappings;  ///< Sorted by file.
  std::vector<PageCopy> copies;                ///< Ascending offsets.
  std::uint64_t pages_size = 0;

  /// The file `plan`.
  [[nodiscard]] std::string to_bytes(const wire::image::Resumption& resumption) const;
};

/// On failure: Errc::unsupported names what no image can hold.
/// `blocks`: sorted; pages that are to be mappings of their own, and anonymous
/// (large_blocks.hpp).
Result<ImagePlan> plan_image(const std::vector<WrittenArea>& areas, const MappedFiles& files,
                             const std::vector<std::uint64_t>& blocks = {});

/// What the file `plan` maps. On failure: Errc::corrupt.
Result<std::vector<wire::image::Mapping>> mappings_in(std::string_view plan);

}  // namespace sock::checkpoint
