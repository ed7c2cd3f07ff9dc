// /proc/PID/smaps_rollup.

#include "sys/process_memory.hpp"

#include <algorithm>
#include <charconv>

#include "base/try.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"

namespace sock::sys {
namespace {

// The number after "NAME:" at the start of a line.
std::uint64_t kibibytes(std::string_view text, std::string_view name) noexcept {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    if (at == 0 || text[at - 1] != '\n' || !text.substr(at + name.size()).starts_with(':'))
      continue;
    text.remove_prefix(at + name.size() + 1);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  return 0;
}

}  // namespace

ProcessMemory parse_smaps_rollup(std::string_view text) noexcept {
  constexpr std::uint64_t kib = 1024;
  return {
      .rss = kibibytes(text, "Rss") * kib,
      .pss = kibibytes(text, "Pss") * kib,
      .private_memory = (kibibytes(text, "Private_Clean") + kibibytes(text, "Private_Dirty")) * kib,
      .anonymous = kibibytes(text, "Anonymous") * kib};
}

Result<ProcessMemory> memory_of(FdRef pidfd) {
  const pid_t pid = number_of(pidfd);
  if (pid <= 0) return sys_error(ESRCH, "process");
  const std::string text =
      SOCK_TRY(read_file(cwd, "/proc/" + std::to_string(pid) + "/smaps_rollup"));
  // The number was its own if it still lives.
  if (SOCK_TRY(wait_readable(pidfd, std::chrono::steady_clock::now())))
    return sys_error(ESRCH, "process");
  return parse_smaps_rollup(text);
}

}  // namespace sock::sys
