#pragma once

// Compares a tree of files with its record, reading every byte.

#include "sock/fd.hpp"
#include "sock/image.hpp"
#include "sock/result.hpp"

#include "store/tree_record.hpp"

namespace sock::store {

/// Adds what it has read and found to `found`. `name` is put before each problem's path.
/// On failure: only when it cannot go on.
Result<> check_tree(FdRef root, const TreeRecord& record, const std::string& name,
                    Verification& found);

}  // namespace sock::store
