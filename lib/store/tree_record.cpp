// Records of trees: order, merging.

#include "store/tree_record.hpp"

#include <algorithm>
#include <set>

#include <sys/stat.h>

namespace sock::store {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
  if (directory.empty()) return !path.empty();
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

// The slash is before every other byte, so that a subtree is one range.
unsigned rank(char c) {
  return c == '/' ? 0U : static_cast<unsigned char>(c) + 1U;
}

// Groups are numbered in each layer by itself.
std::uint64_t group_in(std::uint64_t group, std::size_t layer) {
  constexpr unsigned layer_shift = 40;
  return group == 0 ? 0 : group | (static_cast<std::uint64_t>(layer) << layer_shift);
}

}  // namespace

mode_t file_type(TreeEntry::Kind kind) noexcept {
  using Kind = TreeEntry::Kind;
  switch (kind) {
    case Kind::directory:
    case Kind::implicit:
      return S_IFDIR;
    case Kind::file:
      return S_IFREG;
    case Kind::symlink:
      return S_IFLNK;
    case Kind::fifo:
      return S_IFIFO;
    case Kind::character_device:
      return S_IFCHR;
    case Kind::block_device:
      return S_IFBLK;
  }
  return 0;
}

bool TreeOrder::operator()(std::string_view a, std::string_view b) const noexcept {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return rank(x) < rank(y); });
}

void TreeRecord::erase_below(const std::string& path) {
  auto first = entries.upper_bound(path);
  auto last = first;
  while (last != entries.end() && is_below(last->first, path)) ++last;
  entries.erase(first, last);
}

void TreeRecord::erase(const std::string& path) {
  erase_below(path);
  entries.erase(path);
}

std::uint64_t TreeRecord::bytes() const {
  std::uint64_t sum = 0;
  std::set<std::uint64_t> counted;  // Hard links are one file.
  for (const auto& [path, entry] : entries)
    if (entry.kind == TreeEntry::Kind::file &&
        (entry.group == 0 || counted.insert(entry.group).second))
      sum += entry.size;
  return sum;
}

void merge_layer(TreeRecord& lower, const TreeRecord& upper, std::size_t layer) {
  for (const auto& path : upper.opaques) lower.erase_below(path);
  for (const auto& path : upper.whiteouts)
    if (!path.empty()) lower.erase(path);
  for (const auto& [path, entry] : upper.entries) {
    const auto found = lower.entries.find(path);
    const bool replaces_directory = found != lower.entries.end() && found->second.is_directory();
    if (entry.kind == TreeEntry::Kind::implicit && replaces_directory) continue;
    if (replaces_directory && !entry.is_directory()) lower.erase_below(path);
    TreeEntry merged = entry;
    merged.layer = layer;
    merged.group = group_in(entry.group, layer);
    lower.entries.insert_or_assign(path, std::move(merged));
  }
}

}  // namespace sock::store
