#pragma once

// Snapshots of zygotes: a process image and the domain that it needs around it.

#include "sock/checkpoint.hpp"
#include "sock/zygote.hpp"

#include "checkpoint/process_image.hpp"
#include "checkpoint/snapshot_store_impl.hpp"

namespace sock::checkpoint {

/// For options that require_possible() has passed. On failure nothing is left in the store.
Result<Snapshot> write_zygote_snapshot(const SnapshotDirectory& directory,
                                       const CheckpointOptions& options,
                                       const ZygoteDomainSpec& domain, const ParkedProcess& process,
                                       sys::Deadline deadline);

/// What it takes to go on from one.
struct ZygoteImage {
  ZygoteDomainSpec domain;
  UniqueFd plan;
  UniqueFd pages;
};
/// On failure: Errc::unsupported for a machine or a kernel that it cannot be restored on,
/// Errc::invalid_spec for a snapshot of a container.
Result<ZygoteImage> open_zygote_image(const SnapshotInUse::Impl& snapshot);

}  // namespace sock::checkpoint
