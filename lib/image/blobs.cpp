// Blobs in a directory or in a tar file.

#include "image/blobs.hpp"

#include <array>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "image/document.hpp"
#include "image/stage.hpp"
#include "store/entry_path.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

using Archive = std::unique_ptr<archive, decltype([](archive* a) { archive_read_free(a); })>;

// What an archive beside layers may hold: a few files for each.
constexpr std::size_t most_members = 100'000;

// Paths in these archives are short and plain; a link is relative to where it lies.
std::string target_of(std::string_view path, std::string_view link) {
  std::string joined{store::parent_of(path)};
  for (auto rest = link; !rest.empty();) {
    const auto component = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), component.size() + 1));
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      joined = std::string{store::parent_of(joined)};
      continue;
    }
    if (!joined.empty()) joined += '/';
    joined += component;
  }
  return joined;
}

Result<> refuse_compressed(FdRef file, const std::string& path) {
  std::array<char, 6> head{};
  const auto size = SOCK_TRY(sys::read_at_offset(file, head.data(), head.size(), 0));
  const std::string_view start{head.data(), size};
  for (const std::string_view magic : {"\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh",
                                       "\xfd"
                                       "7zXZ"})
    if (start.starts_with(magic))
      return base::refuse(Errc::unsupported, image_stage, path,
                          "a compressed archive; decompress it first (gunzip, zstd -d)");
  return {};
}

}  // namespace

std::string blob_path(const store::Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

Result<BlobSource> BlobSource::open_directory(const std::string& path) {
  BlobSource source;
  source.file_ =
      SOCK_TRY(base::in_stage(image_stage, sys::open(sys::cwd, path, O_PATH | O_DIRECTORY)));
  return source;
}

Result<BlobSource> BlobSource::open_archive(const std::string& path) {
  BlobSource source;
  source.is_archive_ = true;
  source.file_ =
      SOCK_TRY(base::in_stage(image_stage, sys::open(sys::cwd, path, O_RDONLY | O_NONBLOCK)));
  if (!S_ISREG(SOCK_TRY(sys::inode(source.file_)).mode))
    return base::refuse(Errc::invalid_spec, image_stage, path, "it must be a regular file");
  SOCK_TRY(refuse_compressed(source.file_, path));
  const Archive reader{archive_read_new()};
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_fd(reader.get(), source.file_.get(), 64U << 10U) != ARCHIVE_OK)
    return corrupt(path, "it cannot be read as a tar file");
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK) {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || source.members_.size() >= most_members) continue;
    const auto clean = store::clean_entry_path(name, {});
    if (!clean.has_value()) continue;
    const char* hard = archive_entry_hardlink(entry);
    const char* soft = archive_entry_symlink(entry);
    // The headers have been consumed: the data begins here.
    Member member{.offset = static_cast<std::uint64_t>(archive_filter_bytes(reader.get(), -1)),
                  .size = static_cast<std::uint64_t>(archive_entry_size(entry)),
                  .link = {}};
    if (hard != nullptr) member.link = target_of("", hard);
    if (soft != nullptr) member.link = target_of(*clean, soft);
    source.members_.insert_or_assign(*clean, std::move(member));
  }
  if (status != ARCHIVE_EOF)
    return corrupt(
        path, "it is damaged, or no tar file: " + std::string{archive_error_string(reader.get())});
  return source;
}

bool BlobSource::has(const std::string& path) const {
  return find(path).has_value();
}

Result<Blob> BlobSource::find(const std::string& path) const {
  if (!is_archive_) {
    auto file = SOCK_TRY(base::in_stage(
        image_stage, sys::open_beneath(file_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY)));
    const auto found = SOCK_TRY(sys::inode(file));
    if (!S_ISREG(found.mode)) return corrupt(path, "not a regular file");
    return Blob{.file = std::move(file), .offset = 0, .size = found.size};
  }
  std::string name = SOCK_TRY(store::clean_entry_path(path, {}));
  constexpr int most_links = 8;
  for (int hop = 0; hop < most_links; ++hop) {
    const auto member = members_.find(name);
    if (member == members_.end()) break;
    if (member->second.link.empty()) {
      UniqueFd file = SOCK_TRY(sys::duplicate(file_));
      return Blob{
          .file = std::move(file), .offset = member->second.offset, .size = member->second.size};
    }
    name = member->second.link;
  }
  return base::refuse(Errc::not_found, image_stage, path, "the archive does not hold it");
}

Result<std::string> BlobSource::read(const std::string& path, std::uint64_t limit) const {
  const Blob blob = SOCK_TRY(find(path));
  if (blob.size > limit)
    return base::refuse(Errc::exhausted, image_stage, path,
                        "beyond the limit of an import: document_max");
  std::string text(static_cast<std::size_t>(blob.size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto count = SOCK_TRY(sys::read_at_offset(blob.file, text.data() + filled,
                                                    text.size() - filled, blob.offset + filled));
    if (count == 0) return corrupt(path, "it is truncated");
    filled += count;
  }
  return text;
}

Result<std::string> BlobSource::read_blob(const store::Digest& digest, std::uint64_t size,
                                          std::uint64_t limit) const {
  std::string text = SOCK_TRY(read(blob_path(digest), limit));
  if (size != 0 && text.size() != size)
    return corrupt(digest.to_string(), std::to_string(text.size()) + " bytes, not " +
                                           std::to_string(size) + " as its descriptor says");
  if (store::Digest::of(text) != digest)
    return corrupt(digest.to_string(), "its bytes hash to another");
  return text;
}

}  // namespace sock::image
