#pragma once

// A tree of files as a tar stream: the same record and the same files give the same bytes.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/byte_stream.hpp"
#include "store/tree_record.hpp"
#include "sys/inode.hpp"

struct archive;
struct archive_entry;

namespace sock::store {

/// What a hole of a file becomes.
enum class Holes : std::uint8_t {
  zeros,  ///< As every reader of tar understands it.
  kept,   ///< By GNU tar's sparse format 1.0, which the usual ones do, ArchiveReader too.
};

/// Thread-bound.
class TarWriter {
 public:
  explicit TarWriter(Sink sink, Holes holes = Holes::zeros);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  /// Everything of a layer, as OCI's layers have it: opaque directories and whiteouts as files of
  /// their names, equal groups as hard links. `tree` holds the files.
  Result<> add_layer(const TreeRecord& record, FdRef tree);
  /// The tree alone, below the directory `top` of the archive. `seen` is as in add().
  Result<> add_tree(const std::string& top, const TreeRecord& record, FdRef tree,
                    const Sink& seen = {});
  /// `content` is a file's; it has as many bytes as the entry says. `seen` is shown them in order,
  /// zeros for holes too.
  Result<> add(const std::string& path, const TreeEntry& entry, FdRef content = {},
               const Sink& seen = {});
  Result<> end();

 private:
  Result<> add_link(const std::string& path, const TreeEntry& entry, const std::string& target);
  Result<> find_holes(archive_entry* header, std::uint64_t size, FdRef content);
  Result<> write_content(const std::string& path, std::uint64_t size, FdRef content,
                         const Sink& seen);
  Result<> write_zeros(const std::string& path, std::uint64_t count, const Sink& seen);
  Result<> write_piece(const std::string& path, std::string_view bytes, const Sink& seen);
  [[nodiscard]] std::unexpected<Error> failure(const std::string& path);
  static ssize_t take(archive*, void* self, const void* bytes, std::size_t size);

  struct Free {
    void operator()(archive* a) const noexcept;
  };
  Sink sink_;
  const Holes holes_;
  std::optional<Error> sink_error_;
  std::unique_ptr<archive, Free> archive_;
  std::vector<sys::DataRange> ranges_;  ///< Of the file at hand.
  std::string buffer_;
};

}  // namespace sock::store
