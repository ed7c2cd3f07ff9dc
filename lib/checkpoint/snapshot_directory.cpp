// The files of snapshots: found, hashed, published.

#include "checkpoint/snapshot_directory.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include <fcntl.h>

#include "base/try.hpp"
#include "container/checked_spec.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::array<std::string_view, 1> parts{"snapshots"};
constexpr store::StoreKind kind{
    .name = "snapshot store", .word = "sock-snapshots", .version = 1, .parts = parts};
constexpr std::size_t most_problems = 100;

struct Hashed {
  std::uint64_t bytes;
  store::Digest digest;
};

Result<Hashed> hash_file(FdRef directory, const std::string& name, sys::Deadline deadline) {
  const auto file = SOCK_TRY(sys::open_beneath(directory, name, O_RDONLY | O_NOFOLLOW));
  constexpr std::size_t buffer_size = 256U << 10U;
  std::string buffer(buffer_size, '\0');
  store::Sha256 hash;
  std::uint64_t bytes = 0;
  for (;;) {
    if (std::chrono::steady_clock::now() >= deadline)
      return base::refuse(Errc::timed_out, Stage::checkpoint, name, "reading it takes too long");
    const auto count = SOCK_TRY(sys::read_some(file, buffer.data(), buffer.size()));
    if (count == 0) return Hashed{.bytes = bytes, .digest = hash.finish()};
    hash.update({buffer.data(), count});
    bytes += count;
  }
}

/// What is wrong with one file; empty when nothing is.
std::string problem_of(const Result<Hashed>& hashed, const SnapshotFile& file) {
  if (!hashed.has_value()) return "it cannot be read";
  if (hashed->bytes != file.bytes)
    return "it has " + std::to_string(hashed->bytes) + " bytes instead of " +
           std::to_string(file.bytes);
  if (hashed->digest != file.digest) return "it is not what was written";
  return {};
}

}  // namespace

Result<SnapshotDirectory> SnapshotDirectory::open(const std::string& path) {
  auto opened = SOCK_TRY(store::StoreDirectory::open(path, kind));
  SnapshotDirectory directory{std::move(opened), UniqueFd{}};
  directory.snapshots = SOCK_TRY(directory.open_part("snapshots"));
  return directory;
}

store::LockKey lock_of(const std::string& name) {
  return store::LockKey::object(store::Digest::of(name));
}

Result<> require_name(const std::string& name) {
  if (!name.empty() && name.front() != '.' && !name.contains('/') && !name.contains('\0'))
    return {};
  return base::refuse(Errc::not_found, Stage::checkpoint, "snapshot \"" + name + "\"",
                      "no snapshot can have this name");
}

std::string digest_line(std::string_view text) {
  return store::Digest::of(text).to_string() + "\n";
}

Result<LoadedManifest> load_manifest(const SnapshotDirectory& directory, const std::string& name) {
  const std::string what = "snapshot " + name;
  const auto own = sys::open_beneath(directory.snapshots, name, O_RDONLY | O_DIRECTORY);
  if (!own.has_value())
    return base::refuse(Errc::not_found, Stage::checkpoint, what, "it is not in the store");
  const auto in_stage = [](auto result) {
    return base::in_stage(Stage::checkpoint, std::move(result));
  };
  std::string text = SOCK_TRY(in_stage(sys::read_file(*own, manifest_name, most_manifest)));
  const auto digest = SOCK_TRY(in_stage(sys::read_file(*own, digest_name)));
  if (digest != digest_line(text))
    return base::refuse(Errc::corrupt, Stage::checkpoint, what,
                        "its manifest is not what was written; sockctl snapshot verify");
  auto manifest = SOCK_TRY(Manifest::parse(text, what));
  return LoadedManifest{.manifest = std::move(manifest), .text = std::move(text)};
}

Result<UniqueFd> open_part_of(const SnapshotDirectory& directory, const std::string& name,
                              const std::string& part) {
  return base::in_stage(Stage::checkpoint, sys::open_beneath(directory.snapshots, name + "/" + part,
                                                             O_RDONLY | O_DIRECTORY));
}

Result<std::vector<SnapshotFile>> hash_files(FdRef images, sys::Deadline deadline) {
  std::vector<SnapshotFile> files;
  for (auto& name : SOCK_TRY(sys::list_dir(images))) {
    auto hashed = SOCK_TRY(hash_file(images, name, deadline));
    files.push_back(
        {.name = std::move(name), .bytes = hashed.bytes, .digest = std::move(hashed.digest)});
  }
  return files;
}

Result<Verification> check_files(const SnapshotDirectory& directory, const std::string& name,
                                 const Manifest& manifest) {
  const auto images = SOCK_TRY(open_part_of(directory, name, images_name));
  const auto scratch = SOCK_TRY(open_part_of(directory, name, scratch_name));
  Verification found;
  const auto report = [&](const std::string& file, const std::string& problem) {
    if (!problem.empty() && found.problems.size() < most_problems)
      found.problems.push_back(std::string{images_name} + "/" + file + ": " + problem);
  };
  for (const auto& file : manifest.files) {
    report(file.name, problem_of(hash_file(images, file.name, sys::Deadline::max()), file));
    ++found.files;
    found.bytes += file.bytes;
  }
  for (const auto& file : SOCK_TRY(sys::list_dir(images)))
    if (!std::ranges::binary_search(manifest.files, file, {}, &SnapshotFile::name))
      report(file, "no part of the snapshot");
  SOCK_TRY(check_scratch(scratch, manifest.scratch, found));
  return found;
}

Result<> require_free(const SnapshotDirectory& directory, const std::string& name) {
  if (!sys::status_at(directory.snapshots, name).has_value()) return {};
  return base::refuse(Errc::exists, Stage::checkpoint, "snapshot " + name,
                      "the name is in use; choose another, or remove it");
}

Result<> require_possible(const SnapshotDirectory& directory, const CheckpointOptions& options) {
  constexpr std::size_t most_annotation = 1U << 20U;
  SOCK_TRY(container::check_name(options.name));
  if (options.annotation.size() > most_annotation)
    return base::refuse(Errc::invalid_spec, Stage::checkpoint, "annotation", "at most 1 MiB");
  return require_free(directory, options.name);
}

Result<std::string> write_manifest(const store::Staging& staging, const std::string& inside,
                                   const Manifest& manifest) {
  std::string text = manifest.to_text();
  SOCK_TRY(staging.write(inside + "/" + manifest_name, text));
  SOCK_TRY(staging.write(inside + "/" + digest_name, digest_line(text)));
  return text;
}

Result<> publish(const SnapshotDirectory& directory, const store::Staging& staging,
                 const std::string& from, const std::string& name) {
  const auto locks = SOCK_TRY(store::StoreLocks::open(directory));
  SOCK_TRY(locks.lock(store::LockKey::catalog(), sys::LockMode::exclusive));
  SOCK_TRY(require_free(directory, name));
  SOCK_TRY(staging.publish(from, directory.snapshots, name));
  return base::in_stage(Stage::checkpoint, sys::sync_file(directory.snapshots));
}

}  // namespace sock::checkpoint
