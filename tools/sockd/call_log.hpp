#pragma once

// What functions have done and printed: one JSON text a line for each call, in one file for each
// function. Files are bounded: a full one becomes NAME.1, and the one that was that is gone.

#include <chrono>
#include <string>

#include "call.hpp"
#include "try.hpp"

namespace sockd {

/// Thread-bound.
class CallLog {
 public:
  static sock::Result<CallLog> open(std::string directory);

  /// Best effort: a full disk takes no call down.
  void write(const CallRequest& request, const Outcome& outcome, std::chrono::nanoseconds elapsed);
  /// The last lines of a function, oldest first; with their newlines.
  [[nodiscard]] std::string tail(const std::string& function, std::size_t lines) const;
  [[nodiscard]] bool exists(const std::string& function) const;
  void remove(const std::string& function) const;

 private:
  explicit CallLog(std::string directory) : directory_{std::move(directory)} {}
  [[nodiscard]] std::string path_of(const std::string& function) const;
  std::string directory_;
};

}  // namespace sockd
