// Reading the archive of a snapshot.

#include "checkpoint/snapshot_importer.hpp"

#include <algorithm>

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/scratch.hpp"
#include "container/checked_spec.hpp"
#include "store/entry_path.hpp"
#include "store/tree_difference.hpp"
#include "store/tree_writer.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

using Kind = store::TreeEntry::Kind;

constexpr const char* snapshot_name = "snapshot";  // In staging.
constexpr const char* of_us = "what sockctl snapshot export writes is in another order";

// What a tree may hold, below the directories of the archive that it is in.
ImportLimits with_room_above(ImportLimits limits) {
  constexpr std::uint32_t directories = 4;
  constexpr std::uint32_t bytes = 128;
  limits.depth_max = std::max(limits.depth_max, limits.depth_max + directories);
  limits.path_max = std::max(limits.path_max, limits.path_max + bytes);
  return limits;
}

const char* word_for(Kind kind) {
  return kind == Kind::directory ? "a directory" : "a regular file";
}

}  // namespace

SnapshotImporter::SnapshotImporter(const SnapshotDirectory& directory, FdRef archive,
                                   const std::string& file, const SnapshotImportOptions& options)
    : directory_{directory},
      file_{file},
      options_{options},
      path_limits_{with_room_above(options.limits)},
      // What a container has left in a tmpfs belongs to its own users, as in the snapshot.
      policy_{.limits = options.limits,
              .owners = store::Owners::as_recorded,
              .devices = store::Devices::skip},
      progress_{options.progress, tally_.entries},
      stream_{archive, file, progress_},
      reader_{store::ArchiveFormat::tar, stream_, {file}, options.limits} {}

Result<Snapshot> SnapshotImporter::run(std::uint64_t archive_bytes) {
  if (!options_.name.empty()) SOCK_TRY(container::check_name(options_.name));
  store::tidy_staging(directory_);
  progress_.set_total(archive_bytes);
  progress_.enter(ImportProgress::Step::unpacking);
  SOCK_TRY(take_top());
  const std::string& name = options_.name.empty() ? top_ : options_.name;
  SOCK_TRY(require_free(directory_, name));
  staging_.emplace(SOCK_TRY(store::Staging::create(directory_)));
  own_ = SOCK_TRY(staging_->make_dir(snapshot_name));
  const LoadedManifest loaded = SOCK_TRY(take_documents());
  SOCK_TRY(require_room(loaded.manifest));
  for (const auto& item : archive_items(loaded.manifest))
    SOCK_TRY(take_item(item, loaded.manifest));
  if (entry_) return refuse(entry_->path, "no part of the snapshot");
  progress_.enter(ImportProgress::Step::syncing);
  SOCK_TRY(staging_->sync());
  SOCK_TRY(publish(directory_, *staging_, snapshot_name, name));
  return describe(loaded.manifest, name, loaded.text);
}

Result<> SnapshotImporter::read_entry() {
  stream_.begin_header();
  entry_ = SOCK_TRY(reader_.next());
  stream_.begin_data();
  if (!entry_) return {};
  entry_->path = SOCK_TRY(store::clean_entry_path(entry_->path, path_limits_));
  return store::count_entry(tally_, options_.limits, entry_->path, entry_->entry.size);
}

Result<> SnapshotImporter::require_entry(const std::string& path, Kind kind) {
  if (!entry_) return refuse(path, "it is missing: the archive ends before it");
  if (entry_->path != path)
    return refuse(entry_->path, "where " + path + " must be; " + std::string{of_us});
  if (!entry_->hard_link.empty() || entry_->entry.kind != kind)
    return refuse(path, std::string{"it is not "} + word_for(kind));
  return {};
}

Result<> SnapshotImporter::take_top() {
  SOCK_TRY(read_entry());
  if (!entry_) return refuse("", "it is empty");
  const std::string path = entry_->path;
  if (path.empty() || path.contains('/') || entry_->entry.kind != Kind::directory ||
      !entry_->hard_link.empty())
    return refuse(path, "no snapshot begins like this");
  if (options_.name.empty() && !container::check_name(path).has_value())
    return refuse(path, "no snapshot can have this name; give another");
  top_ = path;
  return read_entry();
}

Result<LoadedManifest> SnapshotImporter::take_documents() {
  std::string text = SOCK_TRY(take_document(manifest_name, most_manifest));
  const std::string line = digest_line(text);
  if (SOCK_TRY(take_document(digest_name, line.size())) != line)
    return refuse(digest_name, "the manifest is not what was written");
  auto manifest = SOCK_TRY(Manifest::parse(text, "snapshot archive " + file_));
  return LoadedManifest{.manifest = std::move(manifest), .text = std::move(text)};
}

Result<std::string> SnapshotImporter::take_document(const std::string& name, std::size_t most) {
  SOCK_TRY(require_entry(top_ + "/" + name, Kind::file));
  if (entry_->entry.size > most)
    return base::refuse(Errc::exhausted, Stage::checkpoint, file_ + ": " + name,
                        "more than " + std::to_string(most) + " bytes");
  std::string text = SOCK_TRY(reader_.read_all(most));
  SOCK_TRY(staging_->write(std::string{snapshot_name} + "/" + name, text));
  SOCK_TRY(read_entry());
  return text;
}

// Before the first byte is written: what the manifest itself says of its files.
Result<> SnapshotImporter::require_room(const Manifest& manifest) const {
  store::Tally all = tally_;
  for (const auto& file : manifest.files)
    SOCK_TRY(store::count_entry(all, options_.limits, file.name, file.bytes));
  return {};
}

Result<> SnapshotImporter::take_item(const ArchiveItem& item, const Manifest& manifest) {
  switch (item.kind) {
    case ArchiveItem::Kind::directory:
      return take_directory(item.path);
    case ArchiveItem::Kind::image:
      return take_image(item, manifest.files[item.index]);
    case ArchiveItem::Kind::record:
      return take_record(item);
    case ArchiveItem::Kind::tree:
      return take_tree(item, manifest.scratch[item.index]);
  }
  return {};
}

Result<> SnapshotImporter::take_directory(const std::string& path) {
  SOCK_TRY(require_entry(top_ + "/" + path, Kind::directory));
  SOCK_TRY(sys::make_dir(own_, path, 0700));
  return read_entry();
}

Result<> SnapshotImporter::take_image(const ArchiveItem& item, const SnapshotFile& expected) {
  SOCK_TRY(require_entry(top_ + "/" + item.path, Kind::file));
  if (entry_->entry.size != expected.bytes)
    return refuse(item.path, "it has " + std::to_string(entry_->entry.size) +
                                 " bytes, where the manifest says " +
                                 std::to_string(expected.bytes));
  if (SOCK_TRY(take_data(item.path)) != expected.digest)
    return refuse(item.path, "it is not what was written");
  return read_entry();
}

// What it says is looked at when the tree is there.
Result<> SnapshotImporter::take_record(const ArchiveItem& item) {
  SOCK_TRY(require_entry(top_ + "/" + item.path, Kind::file));
  if (entry_->entry.size > most_scratch_record)
    return base::refuse(Errc::exhausted, Stage::checkpoint, file_ + ": " + item.path,
                        "longer than any record");
  SOCK_TRY(take_data(item.path));
  return read_entry();
}

// The entry's data into a new file of the snapshot, with its holes.
Result<store::Digest> SnapshotImporter::take_data(const std::string& path) {
  const UniqueFd file =
      SOCK_TRY(sys::open_beneath(own_, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  const std::uint64_t size = entry_->entry.size;
  store::Sha256 hash;
  std::uint64_t end = 0;
  SOCK_TRY(reader_.read_data([&](std::string_view bytes, std::uint64_t offset) -> Result<> {
    if (offset < end || offset > size || bytes.size() > size - offset)
      return refuse(path, "data where its size does not allow any");
    hash.update_zeros(offset - end);
    hash.update(bytes);
    end = offset + bytes.size();
    return sys::write_at_offset(file, bytes, offset);
  }));
  if (end < size) {
    hash.update_zeros(size - end);
    SOCK_TRY(sys::set_size(file, size));
  }
  return hash.finish();
}

Result<> SnapshotImporter::take_tree(const ArchiveItem& item, const Scratch& expected) {
  const std::string path = top_ + "/" + item.path;
  SOCK_TRY(require_entry(path, Kind::directory));
  SOCK_TRY(sys::make_dir(own_, item.path, 0700));
  const UniqueFd tree = SOCK_TRY(sys::open_beneath(own_, item.path, O_RDONLY | O_DIRECTORY));
  const auto found = SOCK_TRY(unpack_tree(path, tree));
  return compare_tree(item, expected, found);
}

Result<store::TreeRecord> SnapshotImporter::unpack_tree(const std::string& path, FdRef tree) {
  const std::string below = path + "/";
  store::TreeWriter writer{tree, policy_, tally_};
  while (entry_ && (entry_->path == path || entry_->path.starts_with(below))) {
    store::ArchiveEntry& entry = *entry_;
    const std::string inner = entry.path == path ? "" : entry.path.substr(below.size());
    const Kind kind = entry.entry.kind;
    if (!inner.empty()) SOCK_TRY(store::clean_entry_path(inner, options_.limits));
    if (writer.record().entries.contains(inner)) return refuse(entry.path, "it is there twice");
    if (kind == Kind::character_device || kind == Kind::block_device)
      return refuse(entry.path, "a device, which no snapshot holds");
    if (!entry.hard_link.empty()) {
      if (!entry.hard_link.starts_with(below))
        return refuse(entry.path, "a hard link to a file that is not beside it");
      entry.hard_link.erase(0, below.size());
    }
    SOCK_TRY(writer.add(inner, std::move(entry), reader_));
    SOCK_TRY(read_entry());
  }
  return writer.finish();
}

// The record is not trusted until it says exactly what was written here; what it would need in
// memory is known by then.
Result<> SnapshotImporter::compare_tree(const ArchiveItem& item, const Scratch& expected,
                                        const store::TreeRecord& found) const {
  const std::string record = std::string{scratch_name} + "/" + std::to_string(item.index) + "/" +
                             std::string{scratch_record_name};
  const std::string ours = found.to_text();
  constexpr std::size_t digits = 20;  // Of the number of a group, which may be another.
  const auto text = sys::read_file(own_, record, ours.size() + digits * (found.entries.size() + 1));
  const auto head = ours.substr(0, ours.find('\n') + 1);
  if (!text.has_value() || !text->starts_with(head) || store::Digest::of(*text) != expected.tree)
    return refuse(record, "it is not what was written, or of another tree");
  const auto parsed = SOCK_TRY(store::TreeRecord::parse(*text));
  const auto difference = store::find_difference(parsed, found);
  if (!difference) return {};
  return refuse(item.path + "/" + *difference, "it is not what was written");
}

std::unexpected<Error> SnapshotImporter::refuse(const std::string& path,
                                                const std::string& why) const {
  constexpr std::size_t most = 300;
  const std::string where = path.empty() ? file_ : file_ + ": " + path.substr(0, most);
  return base::refuse(Errc::corrupt, Stage::checkpoint, where, why);
}

}  // namespace sock::checkpoint
