#pragma once

// From the functions that were seen to those that may come. A third of the functions of Forklift's
// second workload do not occur in its first one, but are made of the same pieces.

#include <map>
#include <set>

#include "zygote/package_table.hpp"

namespace sock::zygote {

/// Functions, as the packages that they declare, and how often each is called.
using Calls = std::map<PackageSet, double>;

struct ExpectedWorkload {
  Calls functions;
  std::set<PackageSet> candidates;  ///< What is worth being a zygote; none is empty.
};

/// A mixture: half the calls are of the functions seen, the others of functions that lack one or
/// two of what their author chose, of single choices, and of functions with one popular choice
/// more.
ExpectedWorkload expected_workload(const Calls& seen, const PackageTable& table);

}  // namespace sock::zygote
