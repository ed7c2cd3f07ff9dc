#pragma once

// What of a root is in memory. A start is recorded by forgetting everything first, and looking
// afterwards: what the kernel has read ahead is in it, as it would be at the next start. What
// others have mapped meanwhile cannot be forgotten, and is in it too.

#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "loader/loader.hpp"
#include "store/tree_record.hpp"

namespace sock::image {

/// Errors carry no stage.
Result<> drop_cached(FdRef tree, const store::TreeRecord& record);
/// In the record's order; only files of which something is in memory.
Result<std::vector<loader::FileRanges>> find_cached(FdRef tree, const store::TreeRecord& record);

}  // namespace sock::image
