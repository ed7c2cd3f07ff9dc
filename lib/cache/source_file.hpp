#pragma once

// A file that a package is taken from, open for reading.

#include <string>

#include "sock/fd.hpp"

namespace sock::cache {

struct SourceFile {
  UniqueFd file;
  std::string name;  ///< The last component of its path: what a wheel is called means something.
};

}  // namespace sock::cache
