#pragma once

// A package that has been unpacked, but is not in the cache yet.

#include <string>
#include <vector>

#include "sock/import_tree.hpp"

#include "store/tree_record.hpp"

namespace sock::cache {

struct UnpackedPackage {
  Package package;
  std::string abi;
  std::string origin = {};
  std::vector<std::string> dependencies = {};
  std::vector<std::string> provides = {};
  store::TreeRecord record;
};

}  // namespace sock::cache
