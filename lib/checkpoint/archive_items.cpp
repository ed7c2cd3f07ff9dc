// The order of a snapshot's archive.

#include "checkpoint/archive_items.hpp"

#include "checkpoint/snapshot_directory.hpp"

namespace sock::checkpoint {

std::vector<ArchiveItem> archive_items(const Manifest& manifest) {
  using Kind = ArchiveItem::Kind;
  const std::string images = images_name;
  const std::string scratch = scratch_name;
  std::vector<ArchiveItem> items;
  items.push_back({.kind = Kind::directory, .path = images});
  for (std::size_t i = 0; i < manifest.files.size(); ++i)
    items.push_back(
        {.kind = Kind::image, .path = images + "/" + manifest.files[i].name, .index = i});
  items.push_back({.kind = Kind::directory, .path = scratch});
  for (std::size_t i = 0; i < manifest.scratch.size(); ++i) {
    const std::string own = scratch + "/" + std::to_string(i);
    items.push_back({.kind = Kind::directory, .path = own});
    items.push_back({.kind = Kind::record, .path = own + "/" + scratch_record_name, .index = i});
    items.push_back({.kind = Kind::tree, .path = own + "/" + scratch_tree_name, .index = i});
  }
  return items;
}

}  // namespace sock::checkpoint
