// "Error (compel/src/lib/infect.c:712): Unable to connect a transport socket: ...". In more verbose
// logs the time stands before the word, and then the number of a process that is being restored.

#include "checkpoint/criu_log.hpp"

#include <cstddef>

namespace sock::checkpoint {
namespace {

// The first one says what happened, the next ones who noticed.
constexpr std::size_t most_lines = 2;
constexpr std::size_t longest_line = 300;

/// What stands after the place of an error; empty for any other line.
std::string_view error_in(std::string_view line) {
  constexpr std::string_view mark = "Error (";
  const auto at = line.find(mark);
  if (at == std::string_view::npos) return {};
  if (line.substr(0, at).find_first_not_of("(). :0123456789") != std::string_view::npos) return {};
  const auto end = line.find("): ", at);
  if (end == std::string_view::npos) return {};
  return line.substr(end + 3, longest_line);
}

bool says_nothing(std::string_view error) {
  return error.empty() || error.contains("Can't setup RLIMIT_NOFILE for self");
}

}  // namespace

std::string decisive_lines(std::string_view log) {
  std::string found;
  std::size_t count = 0;
  while (!log.empty() && count < most_lines) {
    const auto line = log.substr(0, log.find('\n'));
    log.remove_prefix(line.size() < log.size() ? line.size() + 1 : log.size());
    const auto error = error_in(line);
    if (says_nothing(error)) continue;
    if (count++ > 0) found += "; ";
    found += error;
  }
  return found;
}

}  // namespace sock::checkpoint
