#pragma once

// The mounts of a new root, one by one where CRIU finds them: it puts them together itself.

#include <string>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "isolation/rootfs/tree.hpp"

namespace sock::checkpoint {

struct StitchedMount {
  std::string place;  ///< In the container.
  UniqueFd mount;     ///< Detached.
  bool is_directory;
};

/// Each of `places` in the tree. On failure: Errc::not_found for one that is not there any more.
Result<std::vector<StitchedMount>> take_apart(const isolation::Tree& tree,
                                              const std::vector<std::string>& places);

/// Attaches each mount below `directory`, an absolute path, as path_of() says. For the work of a
/// process in a mount namespace of its own.
Result<> lay_out(const std::vector<StitchedMount>& mounts, const std::string& directory);
std::string path_of(const std::string& directory, std::size_t number);

}  // namespace sock::checkpoint
