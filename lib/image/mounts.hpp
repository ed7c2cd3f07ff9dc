#pragma once

// Roots of images that are mounted somewhere on the machine, for people and other programs to look
// at. A note of each is kept in the store, so that gc() leaves its root alone: until it is
// unmounted, or until the machine has been started anew, which unmounts everything.

#include <set>
#include <string>

#include "sock/result.hpp"

#include "image/catalog.hpp"

namespace sock::image {

/// Read-only, without devices and set-user-ID programs. `directory` is absolute, without symlinks.
Result<> mount_root(const StoreDirectory& store, const StoredImage& stored,
                    const std::string& directory);
/// On failure: Errc::not_found where mount_root() has mounted nothing; Errc::busy while somebody
/// uses it.
Result<> unmount_root(const StoreDirectory& store, const std::string& directory);

/// The chains of all that are mounted. Notes of an earlier start of the machine are removed.
Result<std::set<std::string>> mounted_chains(const StoreDirectory& store);

}  // namespace sock::image
