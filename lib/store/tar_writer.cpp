// libarchive's pax writer over a sink.

#include "store/tar_writer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <new>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "base/try.hpp"
#include "store/data_ranges.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

using Kind = TreeEntry::Kind;
using Header =
    std::unique_ptr<archive_entry, decltype([](archive_entry* e) { archive_entry_free(e); })>;

Header header_of(const std::string& path, const TreeEntry& entry) {
  Header header{archive_entry_new()};
  if (!header) throw std::bad_alloc{};
  const std::string name = path.empty() ? "./" : path + (entry.is_directory() ? "/" : "");
  archive_entry_copy_pathname(header.get(), name.c_str());
  archive_entry_set_mode(header.get(), file_type(entry.kind) | entry.mode);
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

TarWriter::TarWriter(Sink sink, Holes holes)
    : sink_{std::move(sink)},
      holes_{holes},
      archive_{archive_write_new()},
      buffer_(256U << 10U, '\0') {
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
  return base::refuse(Errc::io, store_stage, "entry '" + path + "'", why != nullptr ? why : "tar");
}

Result<> TarWriter::add_layer(const TreeRecord& record, FdRef tree) {
  for (const auto& path : record.opaques)
    SOCK_TRY(add((path.empty() ? "" : path + "/") + ".wh..wh..opq", empty_file));
  for (const auto& path : record.whiteouts) {
    const std::string above{parent_of(path)};
    SOCK_TRY(
        add((above.empty() ? "" : above + "/") + ".wh." + std::string{last_of(path)}, empty_file));
  }
  return add_tree("", record, tree);
}

Result<> TarWriter::add_tree(const std::string& top, const TreeRecord& record, FdRef tree,
                             const Sink& seen) {
  DirectoryStack parents{tree};
  std::map<std::uint64_t, std::string> groups;
  for (const auto& [path, entry] : record.entries) {
    if (entry.kind == Kind::implicit) continue;  // Nobody has said anything of it.
    const std::string place = top.empty() || path.empty() ? top + path : top + "/" + path;
    if (entry.group != 0) {
      const auto [first, is_new] = groups.emplace(entry.group, place);
      if (!is_new) {
        SOCK_TRY(add_link(place, entry, first->second));
        continue;
      }
    }
    if (entry.kind != Kind::file) {
      SOCK_TRY(add(place, entry));
      continue;
    }
    const FdRef parent = SOCK_TRY(parents.enter(parent_of(path)));
    const std::string name{last_of(path)};
    const UniqueFd file = SOCK_TRY(sys::open_beneath(parent, name, O_RDONLY | O_NOFOLLOW));
    SOCK_TRY(add(place, entry, file, seen));
  }
  return {};
}

Result<> TarWriter::add(const std::string& path, const TreeEntry& entry, FdRef content,
                        const Sink& seen) {
  const Header header = header_of(path, entry);
  const bool has_content = entry.kind == Kind::file && entry.size > 0;
  ranges_.clear();
  if (has_content) {
    archive_entry_set_size(header.get(), static_cast<std::int64_t>(entry.size));
    SOCK_TRY(find_holes(header.get(), entry.size, content));
  }
  if (archive_write_header(archive_.get(), header.get()) != ARCHIVE_OK) return failure(path);
  if (!has_content) return {};
  return write_content(path, entry.size, content, seen);
}

Result<> TarWriter::find_holes(archive_entry* header, std::uint64_t size, FdRef content) {
  if (holes_ == Holes::zeros) {
    ranges_.push_back({.begin = 0, .end = size});
    return {};
  }
  ranges_ = SOCK_TRY(base::in_stage(store_stage, data_ranges(content, size)));
  for (const auto& [begin, end] : ranges_)
    archive_entry_sparse_add_entry(header, static_cast<std::int64_t>(begin),
                                   static_cast<std::int64_t>(end - begin));
  // A file that is one hole: a range of nothing at its beginning says so.
  if (ranges_.empty()) archive_entry_sparse_add_entry(header, 0, 0);
  return {};
}

Result<> TarWriter::add_link(const std::string& path, const TreeEntry& entry,
                             const std::string& target) {
  const Header header = header_of(path, entry);
  archive_entry_copy_hardlink(header.get(), target.c_str());
  if (archive_write_header(archive_.get(), header.get()) != ARCHIVE_OK) return failure(path);
  return {};
}

Result<> TarWriter::write_content(const std::string& path, std::uint64_t size, FdRef content,
                                  const Sink& seen) {
  std::uint64_t done = 0;
  for (const auto& [begin, end] : ranges_) {
    SOCK_TRY(write_zeros(path, begin - done, seen));
    for (done = begin; done < end;) {
      const auto wanted = std::min<std::uint64_t>(end - done, buffer_.size());
      const auto count = SOCK_TRY(
          base::in_stage(store_stage, sys::read_at_offset(content, buffer_.data(), wanted, done)));
      if (count == 0) return corrupt("entry '" + path + "'", "it is shorter than recorded");
      SOCK_TRY(write_piece(path, {buffer_.data(), count}, seen));
      done += count;
    }
  }
  return write_zeros(path, size - done, seen);
}

// libarchive wants the bytes of holes too, and leaves them out.
Result<> TarWriter::write_zeros(const std::string& path, std::uint64_t count, const Sink& seen) {
  constexpr std::size_t most = 64U << 10U;
  static constexpr std::array<char, most> zeros{};
  while (count > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(count, most));
    SOCK_TRY(write_piece(path, {zeros.data(), size}, seen));
    count -= size;
  }
  return {};
}

Result<> TarWriter::write_piece(const std::string& path, std::string_view bytes, const Sink& seen) {
  const auto taken = archive_write_data(archive_.get(), bytes.data(), bytes.size());
  if (taken != static_cast<la_ssize_t>(bytes.size())) return failure(path);
  return seen ? seen(bytes) : Result<>{};
}

Result<> TarWriter::end() {
  if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure("end");
  return {};
}

}  // namespace sock::store
