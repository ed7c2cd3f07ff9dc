#pragma once

// The files of a package: trees/DIGEST/tree, and trees/DIGEST/record, whose digest it is.

#include "sock/fd.hpp"

#include "cache/catalog.hpp"
#include "store/digest.hpp"
#include "store/staging.hpp"
#include "store/store_locks.hpp"
#include "store/tree_record.hpp"

namespace sock::cache {

/// Keeps it from gc() for as long as `locks` live. On failure: Errc::not_found when gc() was
/// faster.
Result<> hold_tree(const CacheDirectory& cache, const store::StoreLocks& locks,
                   const store::Digest& tree);
/// On failure: Errc::corrupt when the record is missing, or another.
Result<store::TreeRecord> read_record(const CacheDirectory& cache, const store::Digest& tree);
Result<UniqueFd> open_tree(const CacheDirectory& cache, const store::Digest& tree);

/// An empty directory for a new one.
Result<UniqueFd> make_tree(const store::Staging& staging);
/// Moves what was written there to its place, durably, unless the same is there already. It is held
/// then, as by hold_tree().
Result<store::Digest> publish_tree(const CacheDirectory& cache, const store::StoreLocks& locks,
                                   const store::Staging& staging, const store::TreeRecord& record);

/// A directory for what runs in a container and is to leave something; its path on the host.
Result<std::string> make_out(const CacheDirectory& cache, const store::Staging& staging);
Result<UniqueFd> open_out(const store::Staging& staging);
/// Before publish_tree(), which waits until all that is there is on the disk.
Result<> remove_out(const store::Staging& staging);

}  // namespace sock::cache
