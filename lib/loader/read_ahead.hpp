#pragma once

// For whoever reads the files of a tree one after another, and every byte of them: the files that
// come next are brought into the page cache while it reads, and only so far ahead that they are
// still there when it comes to them.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sock/fd.hpp"

#include "loader/loader.hpp"

namespace sock::loader {

struct WholeFile {
  std::string path;
  std::uint64_t size;
};

/// Best effort: what cannot be brought is left to the reader. Thread-bound.
class ReadAhead {
 public:
  /// Gives the files in the order in which they are read.
  using Next = std::function<std::optional<WholeFile>()>;

  /// `tree` must outlive it.
  ReadAhead(FdRef tree, Next next);

  /// To be called before each of the files is read.
  void before_one();

 private:
  void fetch_window();

  FdRef tree_;
  Next next_;
  std::unique_ptr<Loader> loader_;        ///< Made for the first window that is not in memory.
  std::deque<std::uint64_t> ahead_ = {};  ///< Sizes of the files that are fetched and not yet read.
  std::uint64_t bytes_ahead_ = 0;
  bool at_end_ = false;
};

}  // namespace sock::loader
