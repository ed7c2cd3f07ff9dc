#pragma once

// The entries of a layer's tar stream, as libarchive understands them. Its numbers are checked
// here; its paths are not yet (entry_path.hpp). Its own functions for writing to a disk are never
// used.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "sock/result.hpp"

#include "image/layer_stream.hpp"
#include "store/tree_record.hpp"

struct archive;
struct archive_entry;

namespace sock::image {

struct TarEntry {
  std::string path;            ///< As it stands in the archive.
  store::TreeEntry entry;      ///< Without content and group; xattrs are all there are.
  std::string hard_link = {};  ///< The path of the file that it is another name of; else empty.
};

/// Thread-bound: reading names needs a locale of the thread's own.
class TarReader {
 public:
  /// The stream is borrowed.
  TarReader(LayerStream& stream, const ImportLimits& limits);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  /// Empty at the end of the archive.
  Result<std::optional<TarEntry>> next();
  /// The data of the current file, in order; holes are left out.
  using Data = std::function<Result<>(std::string_view data, std::uint64_t offset)>;
  Result<> read_data(const Data& take);

 private:
  static ssize_t read_stream(archive*, void* self, const void** buffer);
  Result<TarEntry> describe(archive_entry* entry) const;
  std::unexpected<Error> failure();

  LayerStream& stream_;
  const ImportLimits limits_;
  std::optional<Error> stream_error_;
  bool is_open_ = false;
  struct Free {
    void operator()(archive* a) const noexcept;
  };
  std::unique_ptr<archive, Free> archive_;
};

}  // namespace sock::image
