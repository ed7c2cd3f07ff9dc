// The ring of two log files.

#include "log_writer.hpp"

#include <algorithm>

#include <fcntl.h>
#include <stdio.h>

namespace sockctl {
namespace {

Result<sock::UniqueFd> create(sock::FdRef dir) {
  return open_at(dir, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0600);
}

}  // namespace

Result<LogWriter> LogWriter::open(sock::FdRef dir, std::uint64_t size_max) {
  // A half must have room for the longest entry.
  constexpr std::uint64_t smallest = 32U << 10U;
  auto file = SOCKCTL_TRY(create(dir));
  return LogWriter{dir, std::move(file), std::max(size_max / 2, smallest)};
}

void LogWriter::write(std::string_view stream, std::string_view text) {
  const std::string time = timestamp();
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const auto length = newline == std::string_view::npos ? text.size() : newline + 1;
    append(log_entry(time, stream, text.substr(0, length)));
    text.remove_prefix(length);
  }
}

void LogWriter::append(const std::string& line) {
  if (size_ + line.size() > file_max_) rotate();
  if (write_all(file_, line).has_value()) size_ += line.size();
}

void LogWriter::rotate() {
  if (::renameat(dir_.get(), "log", dir_.get(), "log.1") != 0) return;
  auto file = create(dir_);
  if (!file.has_value()) return;
  file_ = std::move(*file);
  size_ = 0;
}

}  // namespace sockctl
