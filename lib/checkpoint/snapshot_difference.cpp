// Reading what two snapshots have, for the pure parts to compare.

#include "checkpoint/snapshot_difference.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/manifest_difference.hpp"
#include "checkpoint/page_contents.hpp"
#include "checkpoint/scratch.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

struct Side {
  std::string name;
  LoadedManifest loaded;
  std::map<std::string, PageContents> pages = {};  ///< By file.
};

Result<Side> load_side(const SnapshotDirectory& directory, const std::string& name) {
  auto loaded = SOCK_TRY(load_manifest(directory, name));
  return Side{.name = name, .loaded = std::move(loaded)};
}

Result<> read_all_pages(const SnapshotDirectory& directory, Side& side) {
  const auto images = SOCK_TRY(open_part_of(directory, side.name, images_name));
  for (const auto& file : side.loaded.manifest.files) {
    if (!holds_pages(file.name)) continue;
    const auto opened = SOCK_TRY(sys::open_beneath(images, file.name, O_RDONLY | O_NOFOLLOW));
    auto pages = SOCK_TRY(read_pages(opened, file.bytes));
    side.pages.emplace(file.name, std::move(pages));
  }
  return {};
}

PageContents all_of(const Side& side) {
  PageContents all;
  for (const auto& [name, pages] : side.pages) add_pages(all, pages);
  return all;
}

void compare_pages(const Side& before, const Side& after, SnapshotDifference& difference) {
  for (auto& file : difference.files) {
    const std::string name = file.name.substr(std::string_view{images_name}.size() + 1);
    const auto left = before.pages.find(name);
    const auto right = after.pages.find(name);
    if (left != before.pages.end() && right != after.pages.end())
      file.common_pages = count_common(left->second, right->second);
  }
  const PageContents first = all_of(before);
  const PageContents second = all_of(after);
  difference.pages = {
      .before = first.size(), .after = second.size(), .common = count_common(first, second)};
}

/// What was in a tmpfs mount, by its place; nothing where it has none.
struct ScratchOf {
  const Scratch* scratch = nullptr;
  std::size_t number = 0;
};
ScratchOf find_scratch(const Manifest& manifest, const std::string& place) {
  const auto found = std::ranges::find(manifest.scratch, place, &Scratch::place);
  if (found == manifest.scratch.end()) return {};
  return {.scratch = &*found, .number = static_cast<std::size_t>(found - manifest.scratch.begin())};
}

Result<store::TreeRecord> read_record(const SnapshotDirectory& directory, const Side& side,
                                      const ScratchOf& of) {
  if (of.scratch == nullptr) return store::TreeRecord{};
  const auto scratch = SOCK_TRY(open_part_of(directory, side.name, scratch_name));
  const auto text = SOCK_TRY(
      sys::read_file(scratch, std::to_string(of.number) + "/" + std::string{scratch_record_name},
                     most_scratch_record));
  if (store::Digest::of(text) != of.scratch->tree)
    return base::refuse(Errc::corrupt, Stage::checkpoint, "snapshot " + side.name,
                        "the record of " + of.scratch->place + " is not what was written");
  return store::TreeRecord::parse(text);
}

Result<> compare_scratch(const SnapshotDirectory& directory, const Side& before, const Side& after,
                         SnapshotDifference& difference) {
  std::set<std::string> places;
  for (const Side* const side : {&before, &after})
    for (const auto& scratch : side->loaded.manifest.scratch) places.insert(scratch.place);
  for (const auto& place : places) {
    const ScratchOf left = find_scratch(before.loaded.manifest, place);
    const ScratchOf right = find_scratch(after.loaded.manifest, place);
    if (left.scratch != nullptr && right.scratch != nullptr &&
        left.scratch->tree == right.scratch->tree)
      continue;
    const auto first = SOCK_TRY(read_record(directory, before, left));
    const auto second = SOCK_TRY(read_record(directory, after, right));
    auto files = compare_trees(place, first, second);
    std::ranges::move(files, std::back_inserter(difference.files));
  }
  return {};
}

}  // namespace

Result<SnapshotDifference> compare_snapshots(const SnapshotDirectory& directory,
                                             const std::string& before, const std::string& after) {
  Side first = SOCK_TRY(load_side(directory, before));
  Side second = SOCK_TRY(load_side(directory, after));
  SnapshotDifference difference;
  difference.fields = SOCK_TRY(compare_documents(first.loaded.text, second.loaded.text));
  difference.files = compare_files(first.loaded.manifest.files, second.loaded.manifest.files);
  SOCK_TRY(read_all_pages(directory, first));
  SOCK_TRY(read_all_pages(directory, second));
  compare_pages(first, second, difference);
  SOCK_TRY(compare_scratch(directory, first, second, difference));
  std::ranges::sort(difference.files, {}, &SnapshotDifference::File::name);
  return difference;
}

}  // namespace sock::checkpoint
