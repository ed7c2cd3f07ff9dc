// Looking for deleted files in /proc/PID, as CRIU does.

#include "checkpoint/deleted_files.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <fcntl.h>

#include "base/try.hpp"
#include "isolation/rootfs/layout.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

std::unexpected<Error> refuse(std::string subject, std::string why) {
  return base::refuse(Errc::unsupported, Stage::checkpoint, std::move(subject), std::move(why));
}

void add_link(FdRef directory, const std::string& name, std::set<std::string>& deleted) {
  const auto link = sys::read_symlink(directory, name);
  if (!link.has_value()) return;  // A kernel thread's, or one that is no link.
  if (auto path = deleted_path(*link); !path.empty()) deleted.insert(std::move(path));
}

Result<> add_links_in(FdRef process, const std::string& part, std::set<std::string>& deleted) {
  const auto directory = SOCK_TRY(sys::open(process, part, O_RDONLY | O_DIRECTORY));
  for (const auto& name : SOCK_TRY(sys::list_dir(directory))) add_link(directory, name, deleted);
  return {};
}

Result<std::set<std::string>> find_deleted(const std::vector<pid_t>& processes) {
  std::set<std::string> deleted;
  for (const pid_t pid : processes) {
    const auto process =
        SOCK_TRY(sys::open(sys::cwd, "/proc/" + std::to_string(pid), O_RDONLY | O_DIRECTORY));
    SOCK_TRY(add_links_in(process, "fd", deleted));
    SOCK_TRY(add_links_in(process, "map_files", deleted));
    for (const char* const name : {"cwd", "root", "exe"}) add_link(process, name, deleted);
    const auto tasks = SOCK_TRY(sys::open(process, "task", O_RDONLY | O_DIRECTORY));
    for (const auto& task : SOCK_TRY(sys::list_dir(tasks))) add_link(tasks, task + "/cwd", deleted);
  }
  return deleted;
}

Result<> require_safe(const std::string& path, FdRef root,
                      const std::vector<ScratchPlace>& scratch) {
  const auto is_above = [&](const ScratchPlace& each) {
    return isolation::is_below(path, each.place);
  };
  if (std::ranges::none_of(scratch, is_above))
    return refuse("the deleted file " + path, "only those in a tmpfs can be in a snapshot");
  const std::string parent = path.substr(1, path.rfind('/') - 1);
  if (sys::open_beneath(root, parent, O_PATH | O_DIRECTORY).has_value()) return {};
  return refuse("the deleted file " + path, "its directory is not there any more");
}

}  // namespace

std::string deleted_path(const std::string& link) {
  constexpr std::string_view mark = " (deleted)";
  if (!link.ends_with(mark) || !link.starts_with('/')) return {};
  for (const char* const other : {"/memfd:", "/SYSV", "/dev/zero"})
    if (link.starts_with(other)) return {};
  return link.substr(0, link.size() - mark.size());
}

Result<> require_safe_ghosts(FdRef images, FdRef root, const std::vector<pid_t>& processes,
                             const std::vector<ScratchPlace>& scratch,
                             const std::vector<EarlierPages>& page_files) {
  const auto names = SOCK_TRY(sys::list_dir(images));
  const auto ghosts = std::ranges::count_if(
      names, [](const std::string& name) { return name.starts_with("ghost-file-"); });
  if (ghosts == 0) return {};
  auto deleted = SOCK_TRY(find_deleted(processes));
  for (const auto& [file, name] : page_files) {
    const std::string own = "/proc/self/fd/" + std::to_string(file.get());
    deleted.erase(deleted_path(SOCK_TRY(sys::read_symlink(sys::cwd, own))));
  }
  for (const auto& path : deleted) SOCK_TRY(require_safe(path, root, scratch));
  if (static_cast<std::size_t>(ghosts) <= deleted.size()) return {};
  return refuse("a deleted file", "nothing tells where it was");
}

}  // namespace sock::checkpoint
