// The state directory's checks, and the emptying of one instance directory.

#include "state/directory.hpp"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "base/try.hpp"
#include "isolation/cgroup/removal.hpp"
#include "sys/file.hpp"

namespace sock::state {
namespace {

std::unexpected<Error> corrupt(std::string subject, std::string hint) {
  return base::refuse(Errc::corrupt, Stage::state, std::move(subject), std::move(hint));
}

/// Only this Host's own groups: a corrupt record must not make root kill somebody else's.
bool is_cgroup_of(std::string_view directory, const std::string& id) {
  return directory.starts_with('/') && directory.ends_with("/sock-" + id) &&
         directory.find("/../") == std::string_view::npos &&
         directory.find('\0') == std::string_view::npos;
}

Result<std::string> read_record(FdRef instance) {
  // O_NONBLOCK: whatever stands in the file's place, opening it does not block.
  auto file = sys::open_beneath(instance, std::string{cgroups_file}, O_RDONLY | O_NONBLOCK);
  if (!file && file.error().code == Errc::not_found) return std::string{};
  if (!file && file.error().code == Errc::invalid_spec)
    return corrupt(std::string{cgroups_file}, "a symlink");
  if (!file) return std::unexpected(std::move(file).error());
  if (SOCK_TRY(sys::status(*file)).type != sys::FileType::regular)
    return corrupt(std::string{cgroups_file}, "not a regular file");
  return sys::reread(*file);
}

Result<> remove_cgroups(FdRef instance, const std::string& id,
                        std::chrono::steady_clock::time_point deadline, Recovery& removed) {
  const std::string record = SOCK_TRY(base::in_stage(Stage::state, read_record(instance)));
  Result<> first_failure;
  for (std::string_view rest = record; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!is_cgroup_of(line, id)) {
      if (first_failure) first_failure = corrupt(std::string{line}, "no cgroup of instance " + id);
      continue;
    }
    auto result = isolation::remove_cgroup_tree(std::string{line}, deadline);
    if (result) {
      removed.processes += result->processes;
      removed.cgroups += result->cgroups;
    } else if (first_failure) {
      first_failure = std::unexpected(std::move(result).error());
    }
  }
  return first_failure;
}

Result<> remove_files(FdRef directory, std::string_view last, Recovery& removed) {
  for (const std::string& name : SOCK_TRY(sys::list_dir(directory))) {
    if (name == last) continue;
    if (SOCK_TRY(sys::status_at(directory, name)).type == sys::FileType::directory)
      return corrupt(name, "an instance has no directory of this name: remove it by hand");
    SOCK_TRY(sys::remove_file(directory, name));
    ++removed.files;
  }
  return {};
}

Result<> remove_containers(FdRef instance, Recovery& removed) {
  const std::string name{containers_dir};
  auto containers = sys::open_beneath(instance, name, O_RDONLY | O_DIRECTORY);
  if (!containers && containers.error().code == Errc::not_found) return {};
  if (!containers) return std::unexpected(std::move(containers).error());
  SOCK_TRY(remove_files(*containers, {}, removed));
  return sys::remove_dir(instance, name);
}

Result<> remove_all_files(FdRef state_dir, FdRef instance, const std::string& id,
                          Recovery& removed) {
  SOCK_TRY(remove_containers(instance, removed));
  SOCK_TRY(remove_files(instance, lock_file, removed));
  SOCK_TRY(sys::remove_file(instance, std::string{lock_file}));
  ++removed.files;
  return sys::remove_dir(state_dir, id);
}

}  // namespace

bool is_instance_id(std::string_view name) noexcept {
  return name.size() == 16 && std::ranges::all_of(name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<UniqueFd> open_state_dir(const std::string& path) {
  auto directory = sys::open(sys::cwd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) {
    Error error = std::move(directory).error();
    error.stage = Stage::state;
    // The kernel's reason is the same for what is no directory and for what lies below such a
    // thing.
    const auto found = sys::status_at(sys::cwd, path);
    if (found && found->type != sys::FileType::directory) {
      error.code = Errc::denied;
      error.hint = "the state directory must be a directory, and no symlink to one";
    }
    return std::unexpected(std::move(error));
  }
  const sys::FileStatus found = SOCK_TRY(base::in_stage(Stage::state, sys::status(*directory)));
  if (found.uid != ::geteuid())
    return base::refuse(Errc::denied, Stage::state, path,
                        "the state directory belongs to user " + std::to_string(found.uid));
  if ((found.mode & 022U) != 0)
    return base::refuse(Errc::denied, Stage::state, path,
                        "others may write to the state directory: chmod go-w");
  return std::move(*directory);
}

Result<bool> is_lock_of(FdRef lock, FdRef instance) {
  const sys::FileStatus held = SOCK_TRY(sys::status(lock));
  const auto linked = sys::status_at(instance, std::string{lock_file});
  if (!linked && linked.error().code == Errc::not_found) return false;
  if (!linked) return std::unexpected(linked.error());
  return linked->inode == held.inode && linked->device == held.device;
}

Result<Recovery> clear_instance(FdRef state_dir, FdRef instance, const std::string& id,
                                std::chrono::steady_clock::time_point deadline) {
  Recovery removed;
  SOCK_TRY(remove_cgroups(instance, id, deadline, removed));
  SOCK_TRY(base::in_stage(Stage::state, remove_all_files(state_dir, instance, id, removed)));
  removed.hosts = 1;
  return removed;
}

}  // namespace sock::state
