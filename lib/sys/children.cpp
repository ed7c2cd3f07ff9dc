// Reading /proc/PID/task/TID/children.

#include "sys/children.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/try.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"

namespace sock::sys {
namespace {

/// Appends the numbers in "12 34 56 ".
void append_numbers(std::string_view text, std::vector<pid_t>& numbers) {
  while (!text.empty()) {
    pid_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc{}) numbers.push_back(number);
    const auto used = static_cast<std::size_t>(end - text.data());
    text.remove_prefix(std::min(std::max<std::size_t>(used, 1), text.size()));
  }
}

}  // namespace

Result<std::vector<pid_t>> children_of(pid_t process) {
  std::vector<pid_t> found;
  const auto tasks =
      open(cwd, "/proc/" + std::to_string(process) + "/task", O_RDONLY | O_DIRECTORY);
  if (!tasks.has_value() && tasks.error().code == Errc::not_found) return found;
  if (!tasks.has_value()) return std::unexpected(tasks.error());
  const auto names = list_dir(*tasks);
  if (!names.has_value() && names.error().code == Errc::not_found) return found;
  if (!names.has_value()) return std::unexpected(names.error());
  for (const auto& task : *names) {
    const auto children = read_file(*tasks, task + "/children");
    if (children.has_value()) append_numbers(*children, found);  // Else that thread has ended.
  }
  return found;
}

Result<std::vector<pid_t>> children_of_this_thread() {
  std::vector<pid_t> found;
  const auto path = "/proc/self/task/" + std::to_string(::gettid()) + "/children";
  const auto text = SOCK_TRY(read_file(cwd, path));
  append_numbers(text, found);
  return found;
}

void end_child(pid_t child) noexcept {
  ::kill(child, SIGKILL);
  siginfo_t info{};
  retry([&] { return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | __WALL); });
}

}  // namespace sock::sys
