#pragma once

// The state behind SnapshotStore and SnapshotInUse.

#include <memory>

#include "sock/checkpoint.hpp"

#include "checkpoint/snapshot_directory.hpp"
#include "checkpoint/working_set.hpp"

namespace sock {

struct SnapshotStore::Impl {
  std::shared_ptr<const checkpoint::SnapshotDirectory> directory;
};

struct SnapshotInUse::Impl {
  std::shared_ptr<const checkpoint::SnapshotDirectory> directory;
  Snapshot snapshot;
  checkpoint::Manifest manifest;
  UniqueFd images;
  UniqueFd scratch;
  store::StoreLocks locks;
  std::unique_ptr<checkpoint::WorkingSet> working_set = std::make_unique<checkpoint::WorkingSet>();
};

}  // namespace sock
