#pragma once

// Files of pages in a snapshot of CRIU's: `memory-N` among its images. What CRIU has written is
// changed after it has done its work, so that a restore maps them (mapped_memory.hpp).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "checkpoint/copy_reasons.hpp"
#include "checkpoint/manifest.hpp"
#include "sys/process.hpp"

namespace sock::checkpoint {

/// A file of pages of the snapshot that a container came from.
struct EarlierPages {
  UniqueFd file;
  std::string name;  ///< What CRIU calls it: external_file().
};

/// Moves what can be mapped of each process into a file of pages of its own. Earlier ones that are
/// still needed get a second name among the images: what has not changed since is not written
/// again.
Result<MemoryForms> write_page_file(FdRef images, const CopyReasons& reasons,
                                    std::span<const EarlierPages> earlier, sys::Deadline deadline);

inline constexpr std::size_t most_page_files = 4096;

}  // namespace sock::checkpoint
