// Comparing manifests: as JSON, and their lists of files.

#include "checkpoint/manifest_difference.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "base/bounded_json.hpp"
#include "base/try.hpp"
#include "checkpoint/snapshot_directory.hpp"
#include "store/tree_difference.hpp"

namespace sock::checkpoint {
namespace {

using nlohmann::json;
using Field = SnapshotDifference::Field;
using File = SnapshotDifference::File;
using Fields = std::map<std::string, json>;

constexpr base::JsonBounds bounds{.bytes = most_manifest, .depth = 8};
constexpr const char* features = "machine.cpu_features";

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A list is one value: what is at its third place means little by itself.
void flatten(const std::string& name, const json& value, Fields& into) {
  if (!value.is_object()) {
    into.emplace(name, value);
    return;
  }
  for (const auto& [key, member] : value.items())
    flatten(name.empty() ? key : name + "." + key, member, into);
}

/// Without what says only when, or is compared elsewhere: and of what has numbers of the kernel's,
/// only the part that it plays.
Fields fields_of(json document) {
  for (const char* const elsewhere : {"created", "files", "format", "scratch"})
    document.erase(elsewhere);
  // How much is mapped follows from the pages, which are compared by content.
  if (auto memory = document.find("memory"); memory != document.end() && memory->is_object())
    memory->erase("mapped_bytes");
  if (auto lent = document.find("lent"); lent != document.end() && lent->is_array())
    for (json& each : *lent)
      if (each.is_object()) each.erase("key");
  Fields fields;
  flatten("", document, fields);
  return fields;
}

// Of a hundred processor features, those that one of them alone has.
void keep_what_differs(json& before, json& after) {
  if (!before.is_array() || !after.is_array()) return;
  const std::set<json> first(before.begin(), before.end());
  const std::set<json> second(after.begin(), after.end());
  before = json::array();
  after = json::array();
  std::ranges::set_difference(first, second, std::back_inserter(before));
  std::ranges::set_difference(second, first, std::back_inserter(after));
}

/// Walks two sorted ranges: `visit` gets both of a name, or one and a null.
template <class Range, class Name, class Before, class Visit>
void walk(const Range& before, const Range& after, Name name, Before is_before, Visit visit) {
  auto left = before.begin();
  auto right = after.begin();
  while (left != before.end() || right != after.end()) {
    const bool is_left =
        right == after.end() || (left != before.end() && !is_before(name(*right), name(*left)));
    const bool is_right =
        left == before.end() || (right != after.end() && !is_before(name(*left), name(*right)));
    visit(is_left ? &*left : nullptr, is_right ? &*right : nullptr);
    if (is_left) ++left;
    if (is_right) ++right;
  }
}

std::optional<std::uint64_t> size_of(const std::pair<const std::string, store::TreeEntry>* entry) {
  return entry == nullptr ? std::nullopt : std::optional{entry->second.size};
}

}  // namespace

Result<std::vector<Field>> compare_documents(std::string_view before, std::string_view after) {
  auto first = SOCK_TRY(base::parse_json(before, bounds, "manifest"));
  auto second = SOCK_TRY(base::parse_json(after, bounds, "manifest"));
  if (!first.is_object() || !second.is_object())
    return base::refuse(Errc::corrupt, Stage::checkpoint, "manifest", "it is no JSON object");
  Fields old_fields = fields_of(std::move(first));
  Fields new_fields = fields_of(std::move(second));
  if (old_fields.contains(features) && new_fields.contains(features))
    keep_what_differs(old_fields[features], new_fields[features]);
  std::vector<Field> fields;
  walk(
      old_fields, new_fields, [](const auto& item) -> const std::string& { return item.first; },
      std::less<>{},
      [&](const auto* left, const auto* right) {
        if (left != nullptr && right != nullptr && left->second == right->second) return;
        fields.push_back({.name = left != nullptr ? left->first : right->first,
                          .before = left != nullptr ? text_of(left->second) : "",
                          .after = right != nullptr ? text_of(right->second) : ""});
      });
  return fields;
}

std::vector<File> compare_files(const std::vector<SnapshotFile>& before,
                                const std::vector<SnapshotFile>& after) {
  std::vector<File> files;
  walk(
      before, after, [](const auto& file) -> const std::string& { return file.name; },
      std::less<>{},
      [&](const SnapshotFile* left, const SnapshotFile* right) {
        if (left != nullptr && right != nullptr && left->digest == right->digest) return;
        File file{.name = std::string{images_name} + "/" +
                          (left != nullptr ? left->name : right->name)};
        if (left != nullptr) file.before = left->bytes;
        if (right != nullptr) file.after = right->bytes;
        files.push_back(std::move(file));
      });
  return files;
}

std::vector<File> compare_trees(const std::string& place, const store::TreeRecord& before,
                                const store::TreeRecord& after) {
  std::vector<File> files;
  walk(
      before.entries, after.entries,
      [](const auto& item) -> const std::string& { return item.first; }, store::TreeOrder{},
      [&](const auto* left, const auto* right) {
        if (left != nullptr && right != nullptr && store::is_same(left->second, right->second))
          return;
        const std::string& path = left != nullptr ? left->first : right->first;
        files.push_back({.name = path.empty() ? place : place + "/" + path,
                         .before = size_of(left),
                         .after = size_of(right)});
      });
  return files;
}

}  // namespace sock::checkpoint
