#pragma once

// Removing a tree of files, through descriptors only, of which a deep one needs no more than
// others.

#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::store {

/// Removes the file, link or whole directory; follows no link, and crosses into no other mount that
/// it could empty. A missing one is success.
Result<> remove_tree(FdRef dir, const std::string& name);

}  // namespace sock::store
