// One addition: locking, unpacking, publishing.

#include "cache/adder.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "cache/deb.hpp"
#include "cache/directory.hpp"
#include "cache/package_tree.hpp"
#include "cache/wheel.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::cache {
namespace {

using store::store_stage;
using Kind = PackageSource::Kind;

Result<SourceFile> open_source(const std::string& path) {
  auto file = SOCK_TRY(sys::open(sys::cwd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!S_ISREG(SOCK_TRY(sys::inode(file)).mode))
    return base::refuse(Errc::invalid_spec, store_stage, path, "it must be a regular file");
  return SourceFile{.file = std::move(file), .name = std::string{store::last_of(path)}};
}

Result<store::Digest> digest_of(const std::vector<SourceFile>& files) {
  store::Sha256 hash;
  std::string buffer(256U << 10U, '\0');
  for (const auto& source : files) {
    std::uint64_t offset = 0;
    for (;;) {
      const auto count =
          SOCK_TRY(sys::read_at_offset(source.file, buffer.data(), buffer.size(), offset));
      if (count == 0) break;
      hash.update({buffer.data(), count});
      offset += count;
    }
    // So that two files are not one with the same bytes; and a wheel is known by its name.
    hash.update(" " + source.name + " " + std::to_string(offset) + "\n");
  }
  return hash.finish();
}

Result<UnpackedPackage> unpack(const PackageSource& source, const std::vector<SourceFile>& files,
                               FdRef tree, const ImportLimits& limits) {
  if (source.kind == Kind::deb) return unpack_debs(files, tree, limits);
  return unpack_wheel(files.front().file, files.front().name, tree, limits);
}

}  // namespace

Adder::Adder(const CacheDirectory& cache, const ImportLimits& limits, store::StoreLocks locks,
             store::Staging staging) noexcept
    : cache_{cache}, limits_{limits}, locks_{std::move(locks)}, staging_{std::move(staging)} {}

Result<Adder> Adder::start(const CacheDirectory& cache, const ImportLimits& limits) {
  store::tidy_staging(cache);
  auto locks = SOCK_TRY(store::StoreLocks::open(cache));
  auto staging = SOCK_TRY(store::Staging::create(cache));
  return Adder{cache, limits, std::move(locks), std::move(staging)};
}

Result<CachedPackage> Adder::add(const PackageSource& source) {
  const bool may_be_many = source.kind == Kind::deb;
  if (source.paths.empty() || (!may_be_many && source.paths.size() > 1))
    return base::refuse(Errc::invalid_spec, Stage::validate, "package source", "name one file");
  if (source.kind == Kind::command)
    return base::refuse(Errc::invalid_spec, Stage::validate, "package source",
                        "what a command leaves comes by install()");
  if (source.kind != Kind::directory) return add_files(source);
  const auto from = SOCK_TRY(sys::open(sys::cwd, source.paths.front(), O_RDONLY | O_DIRECTORY));
  return copy(from, source.kind, source.package);
}

Result<CachedPackage> Adder::add_installed(const std::optional<Package>& package) {
  const auto out = SOCK_TRY(open_out(staging_));
  return copy(out, Kind::command, package);
}

Result<std::string> Adder::make_out() {
  return cache::make_out(cache_, staging_);
}

Result<CachedPackage> Adder::add_files(const PackageSource& source) {
  std::vector<SourceFile> files;
  for (const auto& path : source.paths) files.push_back(SOCK_TRY(open_source(path)));
  const auto digest = SOCK_TRY(digest_of(files));
  SOCK_TRY(locks_.lock(store::LockKey::source(digest), sys::LockMode::exclusive));
  for (auto& stored : SOCK_TRY(load_packages(cache_)))
    if (stored.source == digest) return std::move(stored.package);
  const auto tree = SOCK_TRY(make_tree(staging_));
  auto unpacked = SOCK_TRY(unpack(source, files, tree, limits_));
  if (SOCK_TRY(digest_of(files)) != digest)
    return store::corrupt(files.front().name, "it changed while it was read");
  return publish(std::move(unpacked), source.kind, digest);
}

Result<CachedPackage> Adder::copy(FdRef from, PackageSource::Kind kind,
                                  const std::optional<Package>& package) {
  const auto tree = SOCK_TRY(make_tree(staging_));
  auto unpacked = SOCK_TRY(copy_package(from, package, tree, limits_));
  return publish(std::move(unpacked), kind, std::nullopt);
}

Result<CachedPackage> Adder::publish(UnpackedPackage unpacked, PackageSource::Kind kind,
                                     std::optional<store::Digest> source) {
  const CachedPackage named{.package = unpacked.package, .abi = unpacked.abi};
  // One that is there may have bytecode: its files without would be nobody's.
  const auto known = load_package(cache_, key_of(named));
  if (known.has_value() && known->content == store::Digest::of(unpacked.record.to_text()) &&
      hold_tree(cache_, locks_, known->tree).has_value())
    return known->package;
  const auto digest = SOCK_TRY(publish_tree(cache_, locks_, staging_, unpacked.record));
  StoredPackage stored{.package = {.package = std::move(unpacked.package),
                                   .abi = std::move(unpacked.abi),
                                   .digest = digest.to_string(),
                                   .kind = kind,
                                   .origin = std::move(unpacked.origin),
                                   .dependencies = std::move(unpacked.dependencies),
                                   .provides = std::move(unpacked.provides),
                                   .added = std::chrono::time_point_cast<std::chrono::seconds>(
                                       std::chrono::system_clock::now()),
                                   .bytes = unpacked.record.bytes(),
                                   .entries = unpacked.record.entries.size()},
                       .tree = digest,
                       .content = digest,
                       .source = std::move(source)};
  SOCK_TRY(locks_.lock(store::LockKey::catalog(), sys::LockMode::exclusive));
  auto there = load_package(cache_, key_of(stored.package));
  if (there.has_value() && there->content != digest)
    return base::refuse(Errc::exists, store_stage, key_of(stored.package),
                        "with other content; remove it first");
  if (there.has_value()) return std::move(there->package);
  if (there.error().code != Errc::not_found) return std::unexpected(std::move(there).error());
  SOCK_TRY(save_package(cache_, staging_, stored));
  SOCK_TRY(locks_.unlock(store::LockKey::catalog()));
  return std::move(stored.package);
}

}  // namespace sock::cache
