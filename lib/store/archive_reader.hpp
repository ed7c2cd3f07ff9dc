#pragma once

// The entries of an archive, as libarchive understands them. Its numbers are checked here; its
// paths are not yet (entry_path.hpp). Its own functions for writing to a disk are never used.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/image.hpp"
#include "sock/result.hpp"

#include "store/byte_stream.hpp"
#include "store/tree_record.hpp"

struct archive;
struct archive_entry;

namespace sock::store {

enum class ArchiveFormat : std::uint8_t {
  tar,  ///< As it is: what it is compressed with is taken off before, so that headers are bounded.
  zip,  ///< By its central directory, so only of a file.
  ar,   ///< What a Debian package is.
};

struct ArchiveEntry {
  std::string path;            ///< As it stands in the archive.
  TreeEntry entry;             ///< Without content and group; xattrs are all there are.
  std::string hard_link = {};  ///< The path of the file that it is another name of; else empty.
};

/// Thread-bound: reading names needs a locale of the thread's own.
class ArchiveReader {
 public:
  /// What errors are about: "layer", or the name of a file.
  struct Subject {
    std::string name;
  };
  /// The stream, or the file, is borrowed. Of a stream no header of an entry may take more than
  /// 8 MiB, since libarchive keeps all of it.
  ArchiveReader(ArchiveFormat format, ByteStream& stream, Subject subject,
                const ImportLimits& limits);
  ArchiveReader(ArchiveFormat format, FdRef file, Subject subject, const ImportLimits& limits);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  /// Empty at the end of the archive.
  Result<std::optional<ArchiveEntry>> next();
  /// The data of the current file, in order; holes are left out.
  using Data = std::function<Result<>(std::string_view data, std::uint64_t offset)>;
  Result<> read_data(const Data& take);
  /// The same for a small file, whole. On failure: Errc::exhausted for a longer one.
  Result<std::string> read_all(std::uint64_t limit);
  /// And piece by piece; empty at its end. For files without holes, as those of ar.
  Result<std::string_view> next_data();

 private:
  ArchiveReader(ArchiveFormat format, ByteStream* stream, FdRef file, Subject subject,
                const ImportLimits& limits);
  static ssize_t read_stream(archive*, void* self, const void** buffer);
  Result<std::string_view> count_header(std::string_view bytes);
  Result<> open();
  Result<ArchiveEntry> describe(archive_entry* entry) const;
  std::unexpected<Error> failure() const;

  const ArchiveFormat format_;
  ByteStream* const stream_;  ///< Null where it is a file.
  const FdRef file_;
  const Subject subject_;
  const ImportLimits limits_;
  std::optional<Error> stream_error_;
  bool is_open_ = false;
  bool is_in_entry_ = false;
  std::optional<std::size_t> header_left_;  ///< Bytes, while a header is read.
  struct Free {
    void operator()(archive* a) const noexcept;
  };
  std::unique_ptr<archive, Free> archive_;
};

/// The data of an archive's current file, which is an archive itself.
class MemberStream : public ByteStream {
 public:
  explicit MemberStream(ArchiveReader& outer) noexcept : outer_{outer} {}
  Result<std::string_view> next() override { return outer_.next_data(); }

 private:
  ArchiveReader& outer_;
};

}  // namespace sock::store
