// Descriptions of packages as files.

#include "cache/catalog.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include <fcntl.h>

#include "base/bounded_json.hpp"
#include "base/try.hpp"
#include "cache/version.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/mount.hpp"

namespace sock::cache {
namespace {

using nlohmann::json;
using store::store_stage;

constexpr std::size_t most_document = 16U << 20U;
constexpr int most_depth = 4;
constexpr std::array kinds{PackageSource::Kind::wheel, PackageSource::Kind::directory,
                           PackageSource::Kind::deb, PackageSource::Kind::command};

json to_json(const StoredPackage& stored) {
  const CachedPackage& package = stored.package;
  const auto added =
      std::chrono::duration_cast<std::chrono::seconds>(package.added.time_since_epoch());
  return {{"name", package.package.name},
          {"version", package.package.version},
          {"abi", package.abi},
          {"tree", stored.tree.to_string()},
          {"content", stored.content.to_string()},
          {"source", stored.source ? stored.source->to_string() : ""},
          {"kind", to_string(package.kind)},
          {"origin", package.origin},
          {"dependencies", package.dependencies},
          {"provides", package.provides},
          {"compiled", package.compiled},
          {"added", added.count()},
          {"bytes", package.bytes},
          {"entries", package.entries}};
}

// What a stranger's metadata says need not be UTF-8.
std::string to_text(const StoredPackage& stored) {
  return to_json(stored).dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<StoredPackage> from_json(const json& value, const std::string& what) {
  const auto text = [&](const char* name) { return base::text_of(value, name, what); };
  const auto number = [&](const char* name) { return base::number_of(value, name, what); };
  const auto tree_text = SOCK_TRY(text("tree"));
  auto tree = SOCK_TRY(store::Digest::parse(tree_text, what));
  // Missing where nobody could compile yet.
  auto content_text = SOCK_TRY(text("content"));
  if (content_text.empty()) content_text = tree_text;
  auto content = SOCK_TRY(store::Digest::parse(content_text, what));
  StoredPackage stored{.package = {}, .tree = std::move(tree), .content = std::move(content)};
  CachedPackage& package = stored.package;
  package.package.name = SOCK_TRY(text("name"));
  package.package.version = SOCK_TRY(text("version"));
  package.abi = SOCK_TRY(text("abi"));
  package.digest = tree_text;
  const auto kind = SOCK_TRY(text("kind"));
  const auto known =
      std::ranges::find(kinds, kind, [](PackageSource::Kind each) { return to_string(each); });
  if (known == kinds.end()) return store::corrupt(what, "of a kind that there is not");
  package.kind = *known;
  package.origin = SOCK_TRY(text("origin"));
  package.dependencies = SOCK_TRY(base::texts_of(value, "dependencies", what));
  package.provides = SOCK_TRY(base::texts_of(value, "provides", what));
  package.compiled = SOCK_TRY(base::texts_of(value, "compiled", what));
  const auto added = SOCK_TRY(number("added"));
  package.added = std::chrono::system_clock::time_point{std::chrono::seconds{added}};
  package.bytes = SOCK_TRY(number("bytes"));
  package.entries = SOCK_TRY(number("entries"));
  const auto source = SOCK_TRY(text("source"));
  if (!source.empty()) stored.source = SOCK_TRY(store::Digest::parse(source, what));
  if (what != "packages/" + key_of(package))
    return store::corrupt(what, "it describes another package than its name says");
  return stored;
}

bool comes_before(const StoredPackage& a, const StoredPackage& b) {
  const auto& [name_a, version_a] = a.package.package;
  const auto& [name_b, version_b] = b.package.package;
  if (name_a != name_b) return name_a < name_b;
  const auto order = compare_versions(version_a, version_b);
  return order != 0 ? order > 0 : a.package.abi < b.package.abi;
}

}  // namespace

Result<CacheDirectory> CacheDirectory::open(const std::string& path) {
  static constexpr std::array<std::string_view, 3> parts{"packages", "trees", "empty"};
  constexpr store::StoreKind kind{
      .name = "package cache", .word = "sock-packages", .version = 1, .parts = parts};
  constexpr unsigned for_all = 0555;
  CacheDirectory opened{};
  static_cast<store::StoreDirectory&>(opened) = SOCK_TRY(store::StoreDirectory::open(path, kind));
  opened.packages = SOCK_TRY(opened.open_part("packages"));
  opened.trees = SOCK_TRY(opened.open_part("trees"));
  const auto empty = SOCK_TRY(opened.open_part("empty"));
  if ((SOCK_TRY(sys::inode(empty)).mode & 07777U) != for_all)
    SOCK_TRY(base::in_stage(store_stage, sys::set_mode_of(empty, for_all)));
  return opened;
}

std::string key_of(const CachedPackage& package) {
  return package.package.to_string() + "@" + package.abi;
}

Result<std::vector<StoredPackage>> load_packages(const CacheDirectory& cache) {
  std::vector<StoredPackage> all;
  for (const auto& key : SOCK_TRY(base::in_stage(store_stage, sys::list_dir(cache.packages)))) {
    auto stored = load_package(cache, key);
    if (!stored.has_value() && stored.error().code == Errc::not_found)
      continue;  // Removed meanwhile.
    if (!stored.has_value()) return std::unexpected(std::move(stored).error());
    all.push_back(std::move(*stored));
  }
  std::ranges::sort(all, comes_before);
  return all;
}

Result<StoredPackage> load_package(const CacheDirectory& cache, const std::string& key) {
  const std::string what = "packages/" + key;
  const auto text =
      SOCK_TRY(base::in_stage(store_stage, sys::read_file(cache.packages, key, most_document)));
  const auto value = SOCK_TRY(base::in_stage(
      store_stage, base::parse_json(text, {.bytes = most_document, .depth = most_depth}, what)));
  return base::in_stage(store_stage, from_json(value, what));
}

Result<> save_package(const CacheDirectory& cache, const store::Staging& staging,
                      const StoredPackage& stored) {
  return staging.write_and_publish(cache.packages, key_of(stored.package), to_text(stored));
}

Result<> remove_package(const CacheDirectory& cache, const std::string& key) {
  SOCK_TRY(base::in_stage(store_stage, sys::remove_file(cache.packages, key)));
  return base::in_stage(store_stage, sys::sync_file(cache.packages));
}

}  // namespace sock::cache
