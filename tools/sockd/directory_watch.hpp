#pragma once

// Files that come into a directory: closed after writing, or moved there.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockd {

/// A regular file that is there.
struct FoundFile {
  std::string name;
  std::uint64_t size;                ///< bytes
  std::chrono::nanoseconds changed;  ///< Since 1970: when it came, or was written last.
  auto operator<=>(const FoundFile&) const = default;
};

struct Arrivals {
  std::vector<FoundFile> files;  ///< The oldest first.
  bool missed;  ///< There were more than the kernel could tell: look at files_of().
};

/// All that are there, the oldest first. Blocking: a look at each.
std::vector<FoundFile> files_of(const std::string& directory);

/// Thread-bound, to the loop. Names that start with a dot are nobody's business: files are written
/// under such a name, and renamed when they are whole.
class DirectoryWatch {
 public:
  static sock::Result<std::unique_ptr<DirectoryWatch>> open(boost::asio::io_context& loop,
                                                            std::string path);
  DirectoryWatch(boost::asio::io_context& loop, std::string path, sock::UniqueFd notify);

  /// Waits until something has come. Nothing: the directory is gone, or stop() was called.
  boost::asio::awaitable<std::optional<Arrivals>> wait();
  void stop();

 private:
  std::string path_;
  boost::asio::posix::stream_descriptor notify_;
};

}  // namespace sockd
