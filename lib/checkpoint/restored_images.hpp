#pragma once

// A snapshot's images as CRIU is to see them for another user: the snapshot itself never changes.

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "checkpoint/user_change.hpp"
#include "store/staging.hpp"

namespace sock::checkpoint {

/// A directory in `staging`: second names for most images, new files for those that say whose
/// something is.
Result<UniqueFd> images_for(const UserChange& change, FdRef images, const store::Staging& staging);

}  // namespace sock::checkpoint
