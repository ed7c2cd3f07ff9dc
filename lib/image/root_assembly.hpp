#pragma once

// Puts the root of several layers together: hard links into the trees of the layers, so nothing is
// copied and the page cache is shared. docs/decisions/image-roots.md says why, and why not by
// overlayfs.

#include <span>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/tree_policy.hpp"
#include "store/tree_record.hpp"

namespace sock::image {

/// Fills the empty directory `root` as `merged` says; `layers` are the trees that its entries name.
Result<> assemble_root(FdRef root, const store::TreeRecord& merged, std::span<const FdRef> layers,
                       store::Owners owners);

}  // namespace sock::image
