// Walking /proc/PID/fd of all processes of a container.

#include "checkpoint/open_files.hpp"

#include <array>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/try.hpp"
#include "sys/children.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

std::string proc_path(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

// One that ended between two looks is no mistake.
template <class T>
bool is_gone(const Result<T>& result) {
  return !result.has_value() &&
         (result.error().code == Errc::not_found || result.error().code == Errc::closed);
}

Result<std::optional<OpenFile>> look_at(FdRef directory, pid_t pid, const std::string& name) {
  auto link = sys::read_symlink(directory, name);
  // Not opened: that would do something to a device or a named pipe.
  const auto file = sys::open(directory, name, O_PATH);
  if (is_gone(link) || is_gone(file)) return std::optional<OpenFile>{};
  if (!link.has_value()) return std::unexpected(link.error());
  if (!file.has_value()) return std::unexpected(file.error());
  const auto inode = SOCK_TRY(sys::inode(*file));
  OpenFile found{.pid = pid,
                 .number = 0,
                 .link = std::move(*link),
                 .device = inode.device,
                 .inode = inode.number,
                 .node = S_ISCHR(inode.mode) ? inode.node : 0};
  std::from_chars(name.data(), name.data() + name.size(), found.number);
  return std::optional{std::move(found)};
}

}  // namespace

Result<std::vector<pid_t>> processes_below(pid_t first) {
  std::vector<pid_t> found{first};
  for (std::size_t at = 0; at < found.size(); ++at) {
    const auto children = SOCK_TRY(sys::children_of(found[at]));
    found.insert(found.end(), children.begin(), children.end());
  }
  return found;
}

Result<std::vector<OpenFile>> open_files(const std::vector<pid_t>& processes) {
  std::vector<OpenFile> files;
  for (const pid_t pid : processes) {
    const auto directory = sys::open(sys::cwd, proc_path(pid) + "/fd", O_RDONLY | O_DIRECTORY);
    if (is_gone(directory)) continue;
    if (!directory.has_value()) return std::unexpected(directory.error());
    const auto names = sys::list_dir(*directory);
    if (is_gone(names)) continue;
    if (!names.has_value()) return std::unexpected(names.error());
    for (const auto& name : *names)
      if (auto file = SOCK_TRY(look_at(*directory, pid, name))) files.push_back(std::move(*file));
  }
  return files;
}

std::optional<std::string_view> why_not(const OpenFile& file) {
  struct Kind {
    std::string_view link;
    std::string_view words;
  };
  constexpr std::array kinds{
      Kind{"anon_inode:[io_uring]", "an io_uring"},
      Kind{"anon_inode:[userfaultfd]", "a userfaultfd"},
      Kind{"anon_inode:[perf_event]", "a performance counter"},
      Kind{"anon_inode:[fanotify]", "a fanotify group"},
      Kind{"anon_inode:bpf", "a BPF object"},
      Kind{"anon_inode:[fscontext]", "a file system that is being made"},
  };
  for (const auto& [link, words] : kinds)
    if (file.link.starts_with(link)) return words;
  constexpr unsigned memory_devices = 1;  // null, zero, full, random, urandom
  if (file.node != 0 && ::gnu_dev_major(file.node) != memory_devices) return "a device";
  return std::nullopt;
}

}  // namespace sock::checkpoint
