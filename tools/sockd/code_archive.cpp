// By libarchive. Nothing but directories and new files is ever made, so no path can lead out.

#include "code_archive.hpp"

#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include <fmt/format.h>

#include "posix.hpp"

namespace sockd {
namespace {

namespace fs = std::filesystem;
using sock::Errc;
using sock::Stage;

constexpr std::uint64_t most_bytes = 512ULL << 20U;
constexpr std::size_t most_entries = 50'000;
constexpr std::size_t most_depth = 64;
constexpr std::size_t name_max = 255;
constexpr std::size_t block = 64U << 10U;

using Archive = std::unique_ptr<archive, int (*)(archive*)>;

std::unexpected<sock::Error> refuse_entry(const std::string& what, std::string hint,
                                          Errc code = Errc::invalid_spec) {
  return sockctl::refuse(code, Stage::validate, "the code's archive: " + sock::printable(what),
                         std::move(hint));
}

std::unexpected<sock::Error> unreadable(archive* from) {
  const char* const why = archive_error_string(from);
  return refuse_entry("it cannot be read", why != nullptr ? why : "");
}

Result<Archive> open_archive(sock::FdRef file) {
  Archive from{archive_read_new(), archive_read_free};
  archive_read_support_format_tar(from.get());
  archive_read_support_format_zip(from.get());
  archive_read_support_filter_gzip(from.get());
  archive_read_support_filter_zstd(from.get());
  if (archive_read_open_fd(from.get(), file.get(), block) != ARCHIVE_OK)
    return unreadable(from.get());
  return from;
}

/// "./a//b/" is "a/b". On failure: what leads out.
Result<std::string> clean_path(std::string_view path) {
  if (path.starts_with('/')) return refuse_entry(std::string{path}, "its path starts with a /");
  std::string clean;
  std::size_t depth = 0;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.size() > name_max || ++depth > most_depth)
      return refuse_entry(std::string{path}, "no such path can be in it");
    clean += (clean.empty() ? "" : "/") + std::string{part};
  }
  return clean;
}

/// Counts what all of it takes.
class Unpacker {
 public:
  Unpacker(archive* from, std::string directory) : from_{from}, directory_{std::move(directory)} {}

  Result<> unpack() {
    for (;;) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(from_, &entry);
      if (status == ARCHIVE_EOF) return {};
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return unreadable(from_);
      if (++entries_ > most_entries)
        return refuse_entry("too many entries", fmt::format("at most {}", most_entries),
                            Errc::exhausted);
      SOCKCTL_TRY(take(entry));
    }
  }

 private:
  Result<> take(archive_entry* entry) {
    const char* const name = archive_entry_pathname(entry);
    const std::string path = SOCKCTL_TRY(clean_path(name != nullptr ? name : ""));
    if (archive_entry_filetype(entry) == AE_IFDIR) return make_directories(path);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      return refuse_entry(path, "only files and directories can be in it");
    if (path.empty()) return refuse_entry("a file", "it has no name");
    SOCKCTL_TRY(make_directories(fs::path{path}.parent_path()));
    const bool is_program = (archive_entry_perm(entry) & 0111U) != 0;
    const auto file =
        sockctl::open_at(sockctl::here, directory_ + "/" + path,
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, is_program ? 0755 : 0644);
    if (!file.has_value() && file.error().code == Errc::exists)
      return refuse_entry(path, "it is in it twice");
    if (!file.has_value()) return std::unexpected(file.error());
    return copy_content(*file);
  }

  Result<> make_directories(const fs::path& path) const {
    std::error_code failed;
    const fs::path whole = fs::path{directory_} / path;
    fs::create_directories(whole, failed);
    if (failed) return refuse_entry(path, failed.message());
    return {};
  }

  Result<> copy_content(sock::FdRef file) {
    std::string buffer(block, '\0');
    for (;;) {
      const la_ssize_t size = archive_read_data(from_, buffer.data(), buffer.size());
      if (size == 0) return {};
      if (size < 0) return unreadable(from_);
      bytes_ += static_cast<std::uint64_t>(size);
      if (bytes_ > most_bytes)
        return refuse_entry("too many bytes", fmt::format("at most {}", most_bytes),
                            Errc::exhausted);
      SOCKCTL_TRY(sockctl::write_all(
          file, std::string_view{buffer}.substr(0, static_cast<std::size_t>(size))));
    }
  }

  archive* from_;
  std::string directory_;
  std::size_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<> unpack_code(sock::FdRef archive, const std::string& directory) {
  const auto from = SOCKCTL_TRY(open_archive(archive));
  SOCKCTL_TRY(Unpacker(from.get(), directory).unpack());
  std::error_code failed;
  fs::permissions(directory, fs::perms{0755}, failed);
  if (failed) return refuse_entry(directory, failed.message());
  return {};
}

}  // namespace sockd
