// What an import may write, and how much of it.

#include "store/tree_policy.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"

namespace sock::store {
namespace {

std::unexpected<Error> beyond(const std::string& path, const char* limit) {
  return base::refuse(Errc::exhausted, store_stage, "entry '" + path.substr(0, 300) + "'",
                      std::string{"beyond the limit of an import: "} + limit);
}

}  // namespace

Result<> count_entry(Tally& tally, const ImportLimits& limits, const std::string& path,
                     std::uint64_t bytes) {
  if (++tally.entries > limits.entries_max) return beyond(path, "entries_max");
  if (bytes > limits.bytes_max || tally.bytes > limits.bytes_max - bytes)
    return beyond(path, "bytes_max");
  tally.bytes += bytes;
  return {};
}

Result<> filter_xattrs(TreeEntry& entry, const TreePolicy& policy, Tally& tally,
                       const std::string& path) {
  const bool can_have = entry.kind == TreeEntry::Kind::file || entry.is_directory();
  tally.xattrs_dropped += std::erase_if(entry.xattrs, [&](const sys::Xattr& xattr) {
    const bool is_capability = xattr.name == "security.capability";
    return !can_have || !keeps_xattr(xattr.name) ||
           (is_capability && policy.owners == Owners::ours);
  });
  std::uint64_t size = 0;
  for (const auto& [name, value] : entry.xattrs) size += name.size() + value.size();
  if (size > policy.limits.xattrs_max) return beyond(path, "xattrs_max");
  // Archives may have one several times, as bsdtar writes them in two forms: the last one holds.
  std::ranges::reverse(entry.xattrs);
  std::ranges::stable_sort(entry.xattrs, {}, &sys::Xattr::name);
  const auto repeated = std::ranges::unique(entry.xattrs, {}, &sys::Xattr::name);
  entry.xattrs.erase(repeated.begin(), repeated.end());
  return {};
}

}  // namespace sock::store
