#pragma once

// Choosing zygotes: the sets of packages that together save the most import time. Where the sets
// hang in the tree does not change what they save, only what they hold in memory.

#include "zygote/expected_workload.hpp"

namespace sock::zygote {

struct CoverageLimits {
  std::size_t sets;
  std::optional<double> bytes;  ///< Of the sets together, zygote_base_memory for each included.
};

/// At most `limits.sets` candidates, by greatest gain first: facility location is submodular, so
/// the greedy choice is within 1 - 1/e of the best (Nemhauser, Wolsey and Fisher 1978).
std::vector<PackageSet> choose_sets(const ExpectedWorkload& expected, const PackageTable& table,
                                    const CoverageLimits& limits);

}  // namespace sock::zygote
