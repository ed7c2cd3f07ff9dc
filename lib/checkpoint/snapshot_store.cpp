// SnapshotStore: the public handle.

#include <fcntl.h>
#include <sys/stat.h>

#include "sock/checkpoint.hpp"

#include "base/try.hpp"
#include "checkpoint/snapshot_difference.hpp"
#include "checkpoint/snapshot_exporter.hpp"
#include "checkpoint/snapshot_importer.hpp"
#include "checkpoint/snapshot_processes.hpp"
#include "checkpoint/snapshot_store_impl.hpp"
#include "checkpoint/stage.hpp"
#include "store/tree_removal.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock {

using checkpoint::SnapshotDirectory;
using store::LockKey;
using store::StoreLocks;

namespace {

std::unexpected<Error> closed() {
  return base::refuse(Errc::closed, Stage::checkpoint, "snapshot store");
}

Result<SnapshotGarbage> collect(const SnapshotDirectory& directory) {
  const auto locks = SOCK_TRY(StoreLocks::open(directory));
  SOCK_TRY(locks.lock(LockKey::catalog(), sys::LockMode::exclusive));
  const auto unfinished = SOCK_TRY(store::remove_dead_staging(directory));
  return SnapshotGarbage{.unfinished = unfinished};
}

Result<> remove_snapshot(const SnapshotDirectory& directory, const std::string& name) {
  const auto locks = SOCK_TRY(StoreLocks::open(directory));
  SOCK_TRY(locks.lock(LockKey::catalog(), sys::LockMode::exclusive));
  if (!sys::status_at(directory.snapshots, name).has_value())
    return base::refuse(Errc::not_found, Stage::checkpoint, "snapshot " + name,
                        "it is not in the store");
  if (!SOCK_TRY(locks.try_lock(checkpoint::lock_of(name), sys::LockMode::exclusive)))
    return base::refuse(Errc::exhausted, Stage::checkpoint, "snapshot " + name,
                        "it is in use; try again later");
  // In one step out of sight: nobody finds half of it.
  const auto staging = SOCK_TRY(store::Staging::create(directory));
  SOCK_TRY(sys::rename(directory.snapshots, name, staging.directory(), "removed"));
  return sys::sync_file(directory.snapshots);
}

Result<Snapshot> import_snapshot(const SnapshotDirectory& directory, const std::string& file,
                                 const SnapshotImportOptions& options) {
  const auto archive = SOCK_TRY(sys::open(sys::cwd, file, O_RDONLY | O_NOCTTY));
  const auto inode = SOCK_TRY(sys::inode(archive));
  if (S_ISDIR(inode.mode))
    return base::refuse(Errc::invalid_spec, Stage::checkpoint, file,
                        "a directory; a snapshot comes as the tar file that was exported");
  checkpoint::SnapshotImporter importer{directory, archive, file, options};
  return importer.run(S_ISREG(inode.mode) ? inode.size : 0);
}

// One that is damaged must not hide the others.
Snapshot find_or_complain(const SnapshotDirectory& directory, const std::string& name) {
  const auto loaded = checkpoint::load_manifest(directory, name);
  if (loaded.has_value()) return describe(loaded->manifest, name, loaded->text);
  Snapshot damaged;
  damaged.name = name;
  damaged.problem = loaded.error().message();
  return damaged;
}

}  // namespace

SnapshotInUse::SnapshotInUse(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
SnapshotInUse::SnapshotInUse(SnapshotInUse&&) noexcept = default;
SnapshotInUse& SnapshotInUse::operator=(SnapshotInUse&&) noexcept = default;
SnapshotInUse::~SnapshotInUse() = default;
const Snapshot& SnapshotInUse::snapshot() const noexcept {
  return impl_->snapshot;
}

SnapshotStore::SnapshotStore(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
SnapshotStore::SnapshotStore(SnapshotStore&&) noexcept = default;
SnapshotStore& SnapshotStore::operator=(SnapshotStore&&) noexcept = default;
SnapshotStore::~SnapshotStore() = default;

Result<SnapshotStore> SnapshotStore::open(const SnapshotStoreOptions& options) {
  auto directory = SOCK_TRY(SnapshotDirectory::open(options.directory));
  return SnapshotStore{std::make_unique<Impl>(
      Impl{std::make_shared<const SnapshotDirectory>(std::move(directory))})};
}

Result<std::vector<Snapshot>> SnapshotStore::list() const {
  if (!impl_) return closed();
  std::vector<Snapshot> snapshots;
  for (const auto& name :
       SOCK_TRY(base::in_stage(Stage::checkpoint, sys::list_dir(impl_->directory->snapshots))))
    snapshots.push_back(find_or_complain(*impl_->directory, name));
  return snapshots;
}

Result<Snapshot> SnapshotStore::find(const std::string& name) const {
  if (!impl_) return closed();
  SOCK_TRY(checkpoint::require_name(name));
  const auto loaded = SOCK_TRY(checkpoint::load_manifest(*impl_->directory, name));
  return describe(loaded.manifest, name, loaded.text);
}

Result<std::vector<SnapshotProcess>> SnapshotStore::processes(const std::string& name) const {
  if (!impl_) return closed();
  SOCK_TRY(checkpoint::require_name(name));
  const auto locks = SOCK_TRY(StoreLocks::open(*impl_->directory));
  SOCK_TRY(locks.lock(checkpoint::lock_of(name), sys::LockMode::shared));
  const auto loaded = SOCK_TRY(checkpoint::load_manifest(*impl_->directory, name));
  const auto images =
      SOCK_TRY(checkpoint::open_part_of(*impl_->directory, name, checkpoint::images_name));
  return checkpoint::processes_of(images, loaded.manifest);
}

Result<SnapshotInUse> SnapshotStore::use(const std::string& name) const {
  if (!impl_) return closed();
  SOCK_TRY(checkpoint::require_name(name));
  auto locks = SOCK_TRY(StoreLocks::open(*impl_->directory));
  SOCK_TRY(locks.lock(checkpoint::lock_of(name), sys::LockMode::shared));
  auto loaded = SOCK_TRY(checkpoint::load_manifest(*impl_->directory, name));
  const SnapshotDirectory& directory = *impl_->directory;
  auto images = SOCK_TRY(checkpoint::open_part_of(directory, name, checkpoint::images_name));
  auto scratch = SOCK_TRY(checkpoint::open_part_of(directory, name, checkpoint::scratch_name));
  const auto found = SOCK_TRY(
      base::in_stage(Stage::checkpoint, checkpoint::check_files(directory, name, loaded.manifest)));
  if (!found.ok())
    return base::refuse(Errc::corrupt, Stage::checkpoint, "snapshot " + name,
                        found.problems.front());
  return SnapshotInUse{std::make_unique<SnapshotInUse::Impl>(
      SnapshotInUse::Impl{.directory = impl_->directory,
                          .snapshot = describe(loaded.manifest, name, loaded.text),
                          .manifest = std::move(loaded.manifest),
                          .images = std::move(images),
                          .scratch = std::move(scratch),
                          .locks = std::move(locks)})};
}

Result<Verification> SnapshotStore::verify(const std::string& name) const {
  if (!impl_) return closed();
  SOCK_TRY(checkpoint::require_name(name));
  const auto locks = SOCK_TRY(StoreLocks::open(*impl_->directory));
  SOCK_TRY(locks.lock(checkpoint::lock_of(name), sys::LockMode::shared));
  const auto loaded = checkpoint::load_manifest(*impl_->directory, name);
  if (!loaded.has_value()) {
    if (loaded.error().code != Errc::corrupt) return std::unexpected(loaded.error());
    Verification damaged;
    damaged.problems.push_back(std::string{checkpoint::manifest_name} + ": " + loaded.error().hint);
    return damaged;
  }
  return base::in_stage(Stage::checkpoint,
                        checkpoint::check_files(*impl_->directory, name, loaded->manifest));
}

Result<SnapshotDifference> SnapshotStore::diff(const std::string& before,
                                               const std::string& after) const {
  if (!impl_) return closed();
  SOCK_TRY(checkpoint::require_name(before));
  SOCK_TRY(checkpoint::require_name(after));
  const auto locks = SOCK_TRY(StoreLocks::open(*impl_->directory));
  SOCK_TRY(locks.lock(checkpoint::lock_of(before), sys::LockMode::shared));
  SOCK_TRY(locks.lock(checkpoint::lock_of(after), sys::LockMode::shared));
  return checkpoint::in_checkpoint(checkpoint::compare_snapshots(*impl_->directory, before, after));
}

Result<> SnapshotStore::save(const std::string& name, const std::string& file,
                             const SnapshotExportOptions& options) const {
  if (!impl_) return closed();
  SOCK_TRY(checkpoint::require_name(name));
  const auto locks = SOCK_TRY(StoreLocks::open(*impl_->directory));
  SOCK_TRY(locks.lock(checkpoint::lock_of(name), sys::LockMode::shared));
  const auto loaded = SOCK_TRY(checkpoint::load_manifest(*impl_->directory, name));
  checkpoint::SnapshotExporter exporter{*impl_->directory, name, loaded, options};
  return checkpoint::in_checkpoint(exporter.run(file));
}

Result<Snapshot> SnapshotStore::add(const std::string& file, const SnapshotImportOptions& options) {
  if (!impl_) return closed();
  return checkpoint::in_checkpoint(import_snapshot(*impl_->directory, file, options));
}

Result<> SnapshotStore::remove(const std::string& name) {
  if (!impl_) return closed();
  SOCK_TRY(checkpoint::require_name(name));
  return base::in_stage(Stage::checkpoint, remove_snapshot(*impl_->directory, name));
}

Result<SnapshotGarbage> SnapshotStore::gc() {
  if (!impl_) return closed();
  return base::in_stage(Stage::checkpoint, collect(*impl_->directory));
}

}  // namespace sock
