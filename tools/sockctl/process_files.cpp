// Lines of /proc/PID/status: a name, a colon and a number.

#include "process_files.hpp"

#include <algorithm>
#include <charconv>

#include <fcntl.h>

#include "posix.hpp"

namespace sockctl {
namespace {

// The number after "NAME:" at the start of a line; 0 when it is not there.
std::uint64_t number_after(std::string_view text, std::string_view name) {
  const auto at = text.find("\n" + std::string{name} + ":");
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + 1 + name.size() + 1);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

}  // namespace

bool handles_signal(std::string_view status, int number) {
  const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(number - 1);
  return ((number_after(status, "SigCgt") | number_after(status, "SigIgn")) & bit) != 0;
}

Result<std::string> read_process_file(pid_t pid, const std::string& name) {
  constexpr std::size_t file_max = 64U << 10U;
  const auto file =
      SOCKCTL_TRY(open_at(here, "/proc/" + std::to_string(pid) + "/" + name, O_RDONLY));
  return read_all(file, file_max);
}

}  // namespace sockctl
