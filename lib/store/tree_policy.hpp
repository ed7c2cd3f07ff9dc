#pragma once

// What an import may write, and how much of it is left.

#include <cstdint>
#include <string>

#include "sock/image.hpp"

#include "store/tree_record.hpp"

namespace sock::store {

enum class Owners : std::uint8_t {
  as_recorded,  ///< With root.
  ours,         ///< Without: everything is the caller's, and file capabilities are dropped.
};
enum class Devices : std::uint8_t { skip, make };

/// Counts over all layers of one import.
struct Tally {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t devices_skipped = 0;
  std::uint64_t xattrs_dropped = 0;
};

struct TreePolicy {
  ImportLimits limits;
  Owners owners;
  Devices devices;
};

/// Counts one more entry of that many bytes; Errc::exhausted beyond a limit.
Result<> count_entry(Tally& tally, const ImportLimits& limits, const std::string& path,
                     std::uint64_t bytes);
/// Removes what is not taken over, and what the caller may not set.
Result<> filter_xattrs(TreeEntry& entry, const TreePolicy& policy, Tally& tally,
                       const std::string& path);

}  // namespace sock::store
