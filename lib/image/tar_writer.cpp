// libarchive's pax writer over a sink.

#include "image/tar_writer.hpp"

#include <algorithm>
#include <map>
#include <new>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

using store::TreeEntry;
using Kind = TreeEntry::Kind;
using Header =
    std::unique_ptr<archive_entry, decltype([](archive_entry* e) { archive_entry_free(e); })>;

Header header_of(const std::string& path, const TreeEntry& entry) {
  Header header{archive_entry_new()};
  if (!header) throw std::bad_alloc{};
  const std::string name = path.empty() ? "./" : path + (entry.is_directory() ? "/" : "");
  archive_entry_copy_pathname(header.get(), name.c_str());
  archive_entry_set_mode(header.get(), store::file_type(entry.kind) | entry.mode);
  archive_entry_set_uid(header.get(), entry.uid);
  archive_entry_set_gid(header.get(), entry.gid);
  archive_entry_set_size(header.get(), 0);
  archive_entry_set_mtime(header.get(), entry.mtime.tv_sec, entry.mtime.tv_nsec);
  if (entry.kind == Kind::symlink) archive_entry_copy_symlink(header.get(), entry.target.c_str());
  if (entry.kind == Kind::character_device || entry.kind == Kind::block_device)
    archive_entry_set_rdev(header.get(), entry.device);
  for (const auto& xattr : entry.xattrs)
    archive_entry_xattr_add_entry(header.get(), xattr.name.c_str(), xattr.value.data(),
                                  xattr.value.size());
  return header;
}

const TreeEntry empty_file{.kind = Kind::file, .mode = 0600};

}  // namespace

void TarWriter::Free::operator()(archive* a) const noexcept {
  archive_write_free(a);
}

TarWriter::TarWriter(Sink sink) : sink_{std::move(sink)}, archive_{archive_write_new()} {
  if (!archive_) throw std::bad_alloc{};
  // Times to the nanosecond, and names that are no text, need pax headers; plain entries have none.
  archive_write_set_format_pax(archive_.get());
  archive_write_set_options(archive_.get(), "hdrcharset=BINARY,xattrheader=SCHILY");
  // Everything at once: no padding to the blocks of a tape.
  archive_write_set_bytes_in_last_block(archive_.get(), 1);
  if (archive_write_open(archive_.get(), this, nullptr, take, nullptr) != ARCHIVE_OK)
    throw std::bad_alloc{};
}

TarWriter::~TarWriter() = default;

ssize_t TarWriter::take(archive*, void* self, const void* bytes, std::size_t size) {
  auto& writer = *static_cast<TarWriter*>(self);
  if (writer.sink_error_) return -1;
  auto taken = writer.sink_({static_cast<const char*>(bytes), size});
  if (taken.has_value()) return static_cast<ssize_t>(size);
  writer.sink_error_ = std::move(taken).error();
  return -1;
}

std::unexpected<Error> TarWriter::failure(const std::string& path) {
  if (sink_error_) return std::unexpected(*sink_error_);
  const char* const why = archive_error_string(archive_.get());
  return base::refuse(Errc::io, image_stage, "entry '" + path + "'", why != nullptr ? why : "tar");
}

Result<> TarWriter::add_layer(const store::TreeRecord& record, FdRef tree) {
  store::DirectoryStack parents{tree};
  std::map<std::uint64_t, std::string> groups;
  for (const auto& path : record.opaques)
    SOCK_TRY(add((path.empty() ? "" : path + "/") + ".wh..wh..opq", empty_file));
  for (const auto& path : record.whiteouts) {
    const std::string above{store::parent_of(path)};
    SOCK_TRY(add((above.empty() ? "" : above + "/") + ".wh." + std::string{store::last_of(path)},
                 empty_file));
  }
  for (const auto& [path, entry] : record.entries) {
    if (entry.kind == Kind::implicit) continue;  // The layer says nothing of it.
    if (entry.group != 0) {
      const auto [first, is_new] = groups.emplace(entry.group, path);
      if (!is_new) {
        SOCK_TRY(add_link(path, entry, first->second));
        continue;
      }
    }
    if (entry.kind != Kind::file) {
      SOCK_TRY(add(path, entry));
      continue;
    }
    const FdRef parent = SOCK_TRY(parents.enter(store::parent_of(path)));
    const std::string name{store::last_of(path)};
    const UniqueFd file = SOCK_TRY(sys::open_beneath(parent, name, O_RDONLY | O_NOFOLLOW));
    SOCK_TRY(add(path, entry, file));
  }
  return {};
}

Result<> TarWriter::add(const std::string& path, const TreeEntry& entry, FdRef content) {
  const Header header = header_of(path, entry);
  if (entry.kind == Kind::file)
    archive_entry_set_size(header.get(), static_cast<std::int64_t>(entry.size));
  if (archive_write_header(archive_.get(), header.get()) != ARCHIVE_OK) return failure(path);
  if (entry.kind != Kind::file || entry.size == 0) return {};
  return write_content(path, entry.size, content);
}

Result<> TarWriter::add_link(const std::string& path, const TreeEntry& entry,
                             const std::string& target) {
  const Header header = header_of(path, entry);
  archive_entry_copy_hardlink(header.get(), target.c_str());
  if (archive_write_header(archive_.get(), header.get()) != ARCHIVE_OK) return failure(path);
  return {};
}

Result<> TarWriter::write_content(const std::string& path, std::uint64_t size, FdRef content) {
  std::string buffer(256U << 10U, '\0');
  for (std::uint64_t done = 0; done < size;) {
    const auto wanted = std::min<std::uint64_t>(size - done, buffer.size());
    const auto count = SOCK_TRY(
        base::in_stage(image_stage, sys::read_at_offset(content, buffer.data(), wanted, done)));
    if (count == 0) return store::corrupt("entry '" + path + "'", "it is shorter than recorded");
    const auto taken = archive_write_data(archive_.get(), buffer.data(), count);
    if (taken != static_cast<la_ssize_t>(count)) return failure(path);
    done += count;
  }
  return {};
}

Result<> TarWriter::end() {
  if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure("end");
  return {};
}

}  // namespace sock::image
