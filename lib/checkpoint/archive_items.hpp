#pragma once

// What is in a snapshot's archive, and in which order; docs/snapshots.md has the format. All of it
// follows from the manifest, which comes first: whoever reads one knows of each entry which it must
// be. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/manifest.hpp"

namespace sock::checkpoint {

struct ArchiveItem {
  enum class Kind : std::uint8_t {
    directory,
    image,   ///< Of Manifest::files.
    record,  ///< Of Manifest::scratch, as a tree is.
    tree,    ///< A directory with all that is in it.
  };
  Kind kind;
  std::string path;  ///< Below the archive's only directory.
  std::size_t index = 0;
  friend bool operator==(const ArchiveItem&, const ArchiveItem&) = default;
};

/// What follows that directory, the manifest and the digest.
std::vector<ArchiveItem> archive_items(const Manifest& manifest);

}  // namespace sock::checkpoint
