// libarchive's readers, over a stream or a file.

#include "store/archive_reader.hpp"

#include <algorithm>
#include <clocale>
#include <new>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "store/stage.hpp"

namespace sock::store {
namespace {

// libarchive converts names to the thread's character set. Those of pax headers it cannot convert
// in the "C" locale, says so by a warning, and gives the bytes as they are: which is what a file
// name is. Of a zip file it would give question marks; there a name that is marked as UTF-8 is.
class PlainLocale {
 public:
  explicit PlainLocale(ArchiveFormat format)
      : plain_{::newlocale(LC_ALL_MASK, format == ArchiveFormat::zip ? "C.UTF-8" : "C",
                           locale_t{})},
        before_{::uselocale(plain_)} {}
  ~PlainLocale() {
    ::uselocale(before_);
    if (plain_ != locale_t{}) ::freelocale(plain_);
  }
  PlainLocale(const PlainLocale&) = delete;
  PlainLocale& operator=(const PlainLocale&) = delete;

 private:
  locale_t plain_;
  locale_t before_;
};

constexpr std::int64_t most_id = 0xFFFFFFFELL;  // The last number means "leave it" to chown.

// What ext4 can keep, with 256 bytes for each inode: the years 1901 to 2446.
constexpr std::int64_t earliest = -2147483648LL;
constexpr std::int64_t latest = 15032385535LL;

std::string text_or_empty(const char* text) {
  return text != nullptr ? text : "";
}

Result<TreeEntry::Kind> kind_of(archive_entry* entry, const std::string& path) {
  using Kind = TreeEntry::Kind;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return Kind::file;
    case AE_IFDIR:
      return Kind::directory;
    case AE_IFLNK:
      return Kind::symlink;
    case AE_IFIFO:
      return Kind::fifo;
    case AE_IFCHR:
      return Kind::character_device;
    case AE_IFBLK:
      return Kind::block_device;
    default:
      return corrupt("entry '" + path + "'", "of a type that no archive may hold");
  }
}

timespec time_of(archive_entry* entry) {
  const std::int64_t seconds = archive_entry_mtime(entry);
  const long fraction = archive_entry_mtime_nsec(entry);
  return {.tv_sec = std::clamp(seconds, earliest, latest),
          .tv_nsec = std::clamp(fraction, 0L, 999'999'999L)};
}

std::vector<sys::Xattr> xattrs_of(archive_entry* entry) {
  std::vector<sys::Xattr> xattrs;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
    xattrs.push_back(
        {.name = text_or_empty(name), .value = std::string(static_cast<const char*>(value), size)});
  return xattrs;
}

int support(archive* reader, ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::tar:
      archive_read_support_format_empty(reader);
      return archive_read_support_format_tar(reader);
    case ArchiveFormat::zip:
      return archive_read_support_format_zip_seekable(reader);
    case ArchiveFormat::ar:
      return archive_read_support_format_ar(reader);
  }
  return ARCHIVE_FATAL;
}

}  // namespace

void ArchiveReader::Free::operator()(archive* a) const noexcept {
  archive_read_free(a);
}

ArchiveReader::ArchiveReader(ArchiveFormat format, ByteStream* stream, FdRef file, Subject subject,
                             const ImportLimits& limits)
    : format_{format},
      stream_{stream},
      file_{file},
      subject_{std::move(subject)},
      limits_{limits},
      archive_{archive_read_new()} {
  if (!archive_ || support(archive_.get(), format) != ARCHIVE_OK) throw std::bad_alloc{};
}

ArchiveReader::ArchiveReader(ArchiveFormat format, ByteStream& stream, Subject subject,
                             const ImportLimits& limits)
    : ArchiveReader{format, &stream, FdRef{}, std::move(subject), limits} {}

ArchiveReader::ArchiveReader(ArchiveFormat format, FdRef file, Subject subject,
                             const ImportLimits& limits)
    : ArchiveReader{format, nullptr, file, std::move(subject), limits} {}

ArchiveReader::~ArchiveReader() = default;

ssize_t ArchiveReader::read_stream(archive*, void* self, const void** buffer) {
  auto& reader = *static_cast<ArchiveReader*>(self);
  auto bytes = reader.stream_->next();
  if (bytes.has_value() && reader.header_left_) bytes = reader.count_header(*bytes);
  if (!bytes.has_value()) {
    reader.stream_error_ = std::move(bytes).error();
    return -1;
  }
  *buffer = bytes->data();
  return static_cast<ssize_t>(bytes->size());
}

// libarchive keeps all of a header: names, attributes, and a list of holes, of which each byte
// takes twelve in memory.
Result<std::string_view> ArchiveReader::count_header(std::string_view bytes) {
  if (bytes.size() > *header_left_)
    return corrupt(subject_.name, "the header of an entry goes on for megabytes");
  *header_left_ -= bytes.size();
  return bytes;
}

std::unexpected<Error> ArchiveReader::failure() const {
  if (stream_error_) return std::unexpected(*stream_error_);
  return corrupt(subject_.name, "archive: " + text_or_empty(archive_error_string(archive_.get())));
}

Result<> ArchiveReader::open() {
  if (is_open_) return {};
  is_open_ = true;
  constexpr std::size_t block = 64U << 10U;
  const int status = stream_ != nullptr
                         ? archive_read_open(archive_.get(), this, nullptr, read_stream, nullptr)
                         : archive_read_open_fd(archive_.get(), file_.get(), block);
  return status == ARCHIVE_OK ? Result<>{} : failure();
}

Result<std::optional<ArchiveEntry>> ArchiveReader::next() {
  const PlainLocale locale{format_};
  SOCK_TRY(open());
  // What is left of the entry before is no header.
  if (std::exchange(is_in_entry_, false) && archive_read_data_skip(archive_.get()) < ARCHIVE_WARN)
    return failure();
  constexpr std::size_t most_header = 8U << 20U;
  archive_entry* entry = nullptr;
  header_left_ = most_header;
  const int status = archive_read_next_header(archive_.get(), &entry);
  header_left_.reset();
  if (status == ARCHIVE_EOF) return std::optional<ArchiveEntry>{};
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure();
  is_in_entry_ = true;
  auto described = describe(entry);
  if (!described.has_value()) return std::unexpected(std::move(described).error());
  return std::optional{std::move(*described)};
}

Result<ArchiveEntry> ArchiveReader::describe(archive_entry* entry) const {
  ArchiveEntry out{.path = text_or_empty(archive_entry_pathname(entry)),
                   .entry = {.kind = TreeEntry::Kind::file}};
  const std::string what = "entry '" + out.path.substr(0, 300) + "'";
  const std::int64_t uid = archive_entry_uid(entry);
  const std::int64_t gid = archive_entry_gid(entry);
  const std::int64_t size = archive_entry_size(entry);
  if (uid < 0 || uid > most_id || gid < 0 || gid > most_id)
    return corrupt(what, "an owner that is no user or group number");
  if (size < 0) return corrupt(what, "a negative size");
  if (archive_entry_is_encrypted(entry) != 0)
    return base::refuse(Errc::unsupported, store_stage, what, "it is encrypted");
  out.entry.mode = archive_entry_perm(entry) & 07777U;
  out.entry.uid = static_cast<uid_t>(uid);
  out.entry.gid = static_cast<gid_t>(gid);
  out.entry.mtime = time_of(entry);
  out.hard_link = text_or_empty(archive_entry_hardlink(entry));
  if (!out.hard_link.empty()) return out;
  auto kind = kind_of(entry, out.path.substr(0, 300));
  if (!kind.has_value()) return std::unexpected(std::move(kind).error());
  out.entry.kind = *kind;
  if (*kind == TreeEntry::Kind::file) out.entry.size = static_cast<std::uint64_t>(size);
  if (*kind == TreeEntry::Kind::character_device || *kind == TreeEntry::Kind::block_device)
    out.entry.device = archive_entry_rdev(entry);
  if (*kind == TreeEntry::Kind::symlink) {
    out.entry.target = text_or_empty(archive_entry_symlink(entry));
    if (out.entry.target.empty() || out.entry.target.size() > limits_.path_max)
      return corrupt(what, "a symlink to nothing, or to an over-long path");
  }
  out.entry.xattrs = xattrs_of(entry);
  return out;
}

Result<> ArchiveReader::read_data(const Data& take) {
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(archive_.get(), &data, &size, &offset);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure();
    if (offset < 0) return corrupt(subject_.name, "data before the beginning of its file");
    if (size == 0) continue;
    auto taken = take({static_cast<const char*>(data), size}, static_cast<std::uint64_t>(offset));
    if (!taken) return taken;
  }
}

Result<std::string> ArchiveReader::read_all(std::uint64_t limit) {
  std::string all;
  for (;;) {
    const auto piece = SOCK_TRY(next_data());
    if (piece.empty()) return all;
    if (piece.size() > limit - all.size())
      return base::refuse(Errc::exhausted, store_stage, subject_.name,
                          "beyond the limit of an import: document_max");
    all += piece;
  }
}

Result<std::string_view> ArchiveReader::next_data() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  do {
    const int status = archive_read_data_block(archive_.get(), &data, &size, &offset);
    if (status == ARCHIVE_EOF) return std::string_view{};
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failure();
  } while (size == 0);
  return std::string_view{static_cast<const char*>(data), size};
}

}  // namespace sock::store
