#pragma once

// Copies a directory as it is, without following anything and without entering other file systems.

#include <cstdint>
#include <functional>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/tree_policy.hpp"
#include "store/tree_record.hpp"

namespace sock::store {

/// Called with the bytes that were copied since the last call; often with none.
using CopyProgress = std::function<void(std::uint64_t bytes)>;

/// `to` is an empty directory that nobody else sees.
Result<TreeRecord> copy_directory(FdRef from, FdRef to, const TreePolicy& policy, Tally& tally,
                                  const CopyProgress& progress);

}  // namespace sock::store
