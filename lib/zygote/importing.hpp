#pragma once

// Making the zygote of a node out of its parent.

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sock/import_tree.hpp"
#include "sock/zygote.hpp"

namespace sock::zygote {

/// What imports need to know of packages; borrowed.
struct PackageKnowledge {
  const ImportCosts& costs;
  const std::map<Package, std::string>& paths;
  const std::map<Package, std::vector<std::string>>& modules;
};

/// The modules to import for a package: those known, else one of the package's own name.
std::vector<std::string> modules_of(const Package& package, const PackageKnowledge& known);
/// All that a node imports.
ImportSpec imports_of(const ImportNode& node, const PackageKnowledge& known,
                      std::chrono::milliseconds deadline);

/// Package by package, each in a zygote forked from the one before: so each has a cost of its own
/// (with what it imports of those that come later), and one that cannot be imported is known by
/// name.
struct OneByOne {
  Zygote zygote;  ///< With unfit ones it may lack others too.
  ImportTime import_time{};
  ImportCosts measured = {};
  std::vector<std::pair<Package, std::string>> unfit = {};  ///< With the reasons.
};
/// On failure: the parent cannot fork, or timed_out. Blocking: until all is imported, at most
/// `deadline` altogether.
Result<OneByOne> import_one_by_one(Zygote& parent, const ImportNode& node,
                                   const PackageKnowledge& known,
                                   std::chrono::milliseconds deadline);

}  // namespace sock::zygote
