#pragma once

// How far a watched directory was looked at: up to a time, and which files of that very time. In a
// file, so that the next daemon goes on from there.

#include <chrono>
#include <set>
#include <string>

#include "directory_watch.hpp"

namespace sockd {

/// Thread-bound. Best effort: what cannot be written down is an event once more after the next
/// start.
class DirectoryMark {
 public:
  /// Of a file that is not there, or tells of another directory: everything before `now` was seen.
  DirectoryMark(std::string file, std::string directory, std::chrono::nanoseconds now);

  [[nodiscard]] bool is_behind(const FoundFile& file) const;
  void advance(const FoundFile& file);

 private:
  bool read();
  void write() const;

  std::string file_;
  std::string directory_;
  std::chrono::nanoseconds time_;
  std::set<std::string> names_ = {};  ///< Of the files that were seen and have this time.
};

}  // namespace sockd
