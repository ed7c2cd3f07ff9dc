#pragma once

// What is in a container's tmpfs mounts: copied into the snapshot while everything is stopped, with
// a record of every file, and back into new ones.

#include <optional>
#include <string>
#include <vector>

#include "sock/fd.hpp"
#include "sock/image.hpp"
#include "sock/result.hpp"

#include "checkpoint/user_change.hpp"
#include "container/groups_to_join.hpp"
#include "store/digest.hpp"
#include "sys/process.hpp"

namespace sock::checkpoint {

/// In the directory of each, which is called by its number from 0.
inline constexpr const char* scratch_tree_name = "tree";
inline constexpr const char* scratch_record_name = "record";
inline constexpr std::size_t most_scratch_record = 1U << 30U;  ///< bytes

/// Where, and how much at most: also of a file with holes, which costs time for all its size.
struct ScratchPlace {
  std::string place;
  std::uint64_t bytes_max;
};

struct Scratch {
  std::string place;   ///< In the container.
  store::Digest tree;  ///< Of the record of its files.
};

/// Copies what is at each of `places` below `root` into NUMBER/tree and NUMBER/record of `to`, an
/// empty directory.
Result<std::vector<Scratch>> save_scratch(FdRef root, const std::vector<ScratchPlace>& places,
                                          FdRef to);
/// Compares what was saved with the records, and those with their digests.
Result<> check_scratch(FdRef from, const std::vector<Scratch>& scratch, Verification& found);
/// Copies one back, by processes in those groups, which pay for the memory; one without files costs
/// nothing.
Result<> fill_scratch(FdRef from, std::size_t number, FdRef mount,
                      const container::GroupsToJoin& groups,
                      const std::optional<UserChange>& change, sys::Deadline deadline);

}  // namespace sock::checkpoint
