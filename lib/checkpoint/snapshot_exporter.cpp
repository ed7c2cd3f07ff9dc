// Writing the archive of a snapshot.

#include "checkpoint/snapshot_exporter.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/scratch.hpp"
#include "store/new_file.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

using store::TreeEntry;

}  // namespace

Result<> SnapshotExporter::run(const std::string& file) {
  const auto target = SOCK_TRY(store::NewFile::create(file));
  own_ = SOCK_TRY(sys::open_beneath(directory_.snapshots, name_, O_RDONLY | O_DIRECTORY));
  progress_.set_total(loaded_.manifest.bytes());
  progress_.enter(ImportProgress::Step::packing);
  SOCK_TRY(require_good_scratch());
  store::TarWriter tar{
      [&target](std::string_view bytes) { return sys::write_all(target.file(), bytes); },
      store::Holes::kept};
  SOCK_TRY(write(tar));
  SOCK_TRY(tar.end());
  progress_.enter(ImportProgress::Step::syncing);
  return target.publish();
}

// The trees are packed by their records, which say what is in each file.
Result<> SnapshotExporter::require_good_scratch() const {
  Verification found;
  const UniqueFd scratch = SOCK_TRY(sys::open_beneath(own_, scratch_name, O_RDONLY | O_DIRECTORY));
  SOCK_TRY(check_scratch(scratch, loaded_.manifest.scratch, found));
  if (found.ok()) return {};
  return base::refuse(Errc::corrupt, Stage::checkpoint, "snapshot " + name_,
                      found.problems.front());
}

Result<> SnapshotExporter::write(store::TarWriter& tar) {
  SOCK_TRY(add_directory(tar, ""));
  const std::string& text = loaded_.text;
  SOCK_TRY(add_file(tar, manifest_name, text.size(), store::Digest::of(text)));
  const std::string line = digest_line(text);
  SOCK_TRY(add_file(tar, digest_name, line.size(), store::Digest::of(line)));
  for (const auto& item : archive_items(loaded_.manifest)) SOCK_TRY(add_item(tar, item));
  return {};
}

Result<> SnapshotExporter::add_item(store::TarWriter& tar, const ArchiveItem& item) {
  switch (item.kind) {
    case ArchiveItem::Kind::directory:
      return add_directory(tar, item.path);
    case ArchiveItem::Kind::image: {
      const SnapshotFile& file = loaded_.manifest.files[item.index];
      return add_file(tar, item.path, file.bytes, file.digest);
    }
    case ArchiveItem::Kind::record: {
      const auto inode = SOCK_TRY(sys::inode_at(own_, item.path));
      return add_file(tar, item.path, inode.size, loaded_.manifest.scratch[item.index].tree);
    }
    case ArchiveItem::Kind::tree:
      return add_tree(tar, item.path, item.index);
  }
  return {};
}

Result<> SnapshotExporter::add_directory(store::TarWriter& tar, const std::string& path) {
  const auto created = std::chrono::floor<std::chrono::seconds>(loaded_.manifest.created);
  count(0);
  return tar.add(place_of(path), {.kind = TreeEntry::Kind::directory,
                                  .mode = 0700,
                                  .mtime = {.tv_sec = created.time_since_epoch().count()}});
}

Result<> SnapshotExporter::add_file(store::TarWriter& tar, const std::string& path,
                                    std::uint64_t size, const store::Digest& digest) {
  const auto created = std::chrono::floor<std::chrono::seconds>(loaded_.manifest.created);
  const UniqueFd file = SOCK_TRY(sys::open_beneath(own_, path, O_RDONLY | O_NOFOLLOW));
  store::Sha256 hash;
  const store::Sink seen = [&](std::string_view bytes) -> Result<> {
    hash.update(bytes);
    count(bytes.size());
    return {};
  };
  ++entries_;
  SOCK_TRY(tar.add(place_of(path),
                   {.kind = TreeEntry::Kind::file,
                    .mode = 0600,
                    .size = size,
                    .mtime = {.tv_sec = created.time_since_epoch().count()}},
                   file, seen));
  const auto inode = SOCK_TRY(sys::inode(file));
  if (inode.size == size && hash.finish() == digest) return {};
  return base::refuse(Errc::corrupt, Stage::checkpoint, "snapshot " + name_,
                      path + ": it is not what was written");
}

Result<> SnapshotExporter::add_tree(store::TarWriter& tar, const std::string& path,
                                    std::size_t index) {
  const std::string place = std::to_string(index) + "/" + scratch_record_name;
  const auto text =
      SOCK_TRY(sys::read_file(own_, std::string{scratch_name} + "/" + place, most_scratch_record));
  const auto record = SOCK_TRY(store::TreeRecord::parse(text));
  const UniqueFd tree = SOCK_TRY(sys::open_beneath(own_, path, O_RDONLY | O_DIRECTORY));
  entries_ += record.entries.size();
  const store::Sink seen = [this](std::string_view bytes) -> Result<> {
    count(bytes.size());
    return {};
  };
  return tar.add_tree(place_of(path), record, tree, seen);
}

// Below a directory of the snapshot's name: whoever unpacks it by hand gets all in one place.
std::string SnapshotExporter::place_of(const std::string& path) const {
  return path.empty() ? name_ : name_ + "/" + path;
}

void SnapshotExporter::count(std::uint64_t bytes) {
  progress_.count_bytes(bytes);
  progress_.tell();
}

}  // namespace sock::checkpoint
