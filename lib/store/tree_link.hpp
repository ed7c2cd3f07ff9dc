#pragma once

// A second tree of the same files: nothing is copied but names.

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/tree_record.hpp"

namespace sock::store {

/// Fills `to`, an empty directory on the file system of `from` that nobody else sees, with what
/// `record` says is in `from`: directories of its own, and further names (hard links) of all else.
/// What directories get last is left to finish_directories(). The files are shared from then on:
/// only for trees that nobody changes.
Result<> link_tree(FdRef from, const TreeRecord& record, FdRef to);

}  // namespace sock::store
