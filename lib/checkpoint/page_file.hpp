#pragma once

// Files of pages in a snapshot of CRIU's: `memory-N` among its images. What CRIU has written is
// changed after it has done its work, so that a restore maps them (mapped_memory.hpp).

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "checkpoint/manifest.hpp"
#include "sys/process.hpp"

namespace sock::checkpoint {

/// Of each process, by the number in its images' names: why its memory is copied; empty if it is
/// mapped.
using CopyReasons = std::map<std::string, std::string>;

/// A limited look at all processes, by their programs and libraries (zero_reliance.hpp), which are
/// looked up in `root`: the container's words, by which it can only harm itself.
Result<CopyReasons> why_copied(FdRef images, FdRef root, sys::Deadline deadline);
/// The same reason for all.
Result<CopyReasons> all_copied(FdRef images, const std::string& reason);
/// None.
Result<CopyReasons> none_copied(FdRef images);

/// A file of pages of the snapshot that a container came from.
struct EarlierPages {
  UniqueFd file;
  std::string name;  ///< What CRIU calls it: external_file().
};

/// Moves what can be mapped into a file of pages. Earlier ones that are still needed get a second
/// name among the images: what has not changed since is not written again.
Result<MemoryForms> write_page_file(FdRef images, const CopyReasons& reasons,
                                    std::span<const EarlierPages> earlier, sys::Deadline deadline);

inline constexpr std::size_t most_page_files = 4096;
/// Whether a file of a snapshot is one, which CRIU is given by its key.
bool is_page_file(std::string_view name);
std::string key_of_page_file(const std::string& name);

}  // namespace sock::checkpoint
