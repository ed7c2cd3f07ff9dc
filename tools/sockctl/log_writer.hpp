#pragma once

// The log of a detached container: two files, `log` and the older `log.1`, together at most the
// given size. One JSON object a line: {"t":"...","stream":"stdout","data":"text\n"}; bytes that are
// no UTF-8 are in "base64" instead of "data". What the payload printed without a newline is an
// entry without one.

#include <string>
#include <string_view>

#include "posix.hpp"

namespace sockctl {

/// Thread-bound. A full disk loses entries, never the container.
class LogWriter {
 public:
  static Result<LogWriter> open(sock::FdRef dir, std::uint64_t size_max);
  void write(std::string_view stream, std::string_view text);

 private:
  LogWriter(sock::FdRef dir, sock::UniqueFd file, std::uint64_t file_max) noexcept
      : dir_{dir}, file_{std::move(file)}, file_max_{file_max} {}
  void rotate();
  void append(const std::string& line);
  sock::FdRef dir_;
  sock::UniqueFd file_;
  std::uint64_t file_max_;
  std::uint64_t size_ = 0;
};

std::string log_entry(std::string_view time, std::string_view stream, std::string_view text);
/// The payload's bytes of a line of the log, and where they went; false when it is none.
struct LogEntry {
  std::string stream;
  std::string data;
};
bool read_log_entry(std::string_view line, LogEntry& entry);
/// RFC 3339, UTC, microseconds.
std::string timestamp();

}  // namespace sockctl
