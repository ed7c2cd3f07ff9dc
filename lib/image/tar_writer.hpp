#pragma once

// A tree of files as a tar stream: the same record and the same files give the same bytes.

#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "image/decompressor.hpp"
#include "store/tree_record.hpp"

struct archive;
struct archive_entry;

namespace sock::image {

/// Thread-bound.
class TarWriter {
 public:
  explicit TarWriter(Sink sink);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  /// Everything of a layer, as OCI's layers have it: opaque directories and whiteouts as files of
  /// their names, equal groups as hard links. `tree` holds the files.
  Result<> add_layer(const store::TreeRecord& record, FdRef tree);
  /// `content` is a file's; it has as many bytes as the entry says.
  Result<> add(const std::string& path, const store::TreeEntry& entry, FdRef content = {});
  Result<> end();

 private:
  Result<> add_link(const std::string& path, const store::TreeEntry& entry,
                    const std::string& target);
  Result<> write_content(const std::string& path, std::uint64_t size, FdRef content);
  [[nodiscard]] std::unexpected<Error> failure(const std::string& path);
  static ssize_t take(archive*, void* self, const void* bytes, std::size_t size);

  struct Free {
    void operator()(archive* a) const noexcept;
  };
  Sink sink_;
  std::optional<Error> sink_error_;
  std::unique_ptr<archive, Free> archive_;
};

}  // namespace sock::image
