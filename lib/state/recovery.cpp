// Removing what dead instances left: by a Host that opens, by `sockctl gc`, and by the janitor. All
// of them may run at once, for the lock decides who does it.

#include <algorithm>
#include <vector>

#include <fcntl.h>

#include "base/try.hpp"
#include "state/directory.hpp"
#include "state/instance.hpp"
#include "sys/file.hpp"

namespace sock::state {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;

/// A directory without a lock file is one whose making or removing was cut short, or is going on.
/// Empty, it may go: its maker, if alive, notices and starts again.
Result<Recovery> remove_unlocked(FdRef state_dir, FdRef instance, const std::string& id) {
  if (sys::remove_dir(state_dir, id)) return Recovery{};
  const std::vector<std::string> names = SOCK_TRY(sys::list_dir(instance));
  if (names.empty()) {  // A lock has come and gone since, and no instance gets a second one.
    SOCK_TRY(sys::remove_dir(state_dir, id));
    return Recovery{};
  }
  // The first file to come and the last to go: somebody is at work.
  if (std::ranges::find(names, lock_file) != names.end()) return Recovery{};
  return base::refuse(Errc::corrupt, Stage::state, id,
                      "an instance with files but without a lock: remove it by hand");
}

bool is_missing(const Error& error) {
  return error.code == Errc::not_found;
}

Result<Recovery> remove_instance_in_state(FdRef state_dir, const std::string& id) {
  auto instance = sys::open_beneath(state_dir, id, O_RDONLY | O_DIRECTORY);
  if (!instance && is_missing(instance.error())) return Recovery{};
  if (!instance) return std::unexpected(std::move(instance).error());

  auto lock = sys::open_beneath(*instance, std::string{lock_file}, O_RDONLY | O_NONBLOCK);
  if (!lock && is_missing(lock.error())) return remove_unlocked(state_dir, *instance, id);
  if (!lock) return std::unexpected(std::move(lock).error());
  if (!SOCK_TRY(sys::try_lock(*lock)))
    return base::refuse(Errc::exists, Stage::state, id, "the instance is alive");
  // Somebody else may have removed it between the two calls.
  if (!SOCK_TRY(is_lock_of(*lock, *instance))) return Recovery{};
  return clear_instance(state_dir, *instance, id, std::chrono::steady_clock::now() + patience);
}

}  // namespace

Result<Recovery> remove_instance(FdRef state_dir, const std::string& id) {
  if (!is_instance_id(id))
    return base::refuse(Errc::corrupt, Stage::state, id, "not the name of an instance");
  return base::in_stage(Stage::state, remove_instance_in_state(state_dir, id));
}

Result<Recovery> recover(const std::string& state_dir) {
  const auto directory = open_state_dir(state_dir);
  if (!directory && is_missing(directory.error())) return Recovery{};
  if (!directory) return std::unexpected(directory.error());

  Recovery all;
  Result<> first_failure;
  for (const std::string& name :
       SOCK_TRY(base::in_stage(Stage::state, sys::list_dir(*directory)))) {
    if (!is_instance_id(name)) continue;  // Images, snapshots: other parts' own.
    auto removed = remove_instance(*directory, name);
    if (removed) {
      all.hosts += removed->hosts;
      all.processes += removed->processes;
      all.cgroups += removed->cgroups;
      all.files += removed->files;
    } else if (removed.error().code != Errc::exists && first_failure) {
      first_failure = std::unexpected(std::move(removed).error());
    }
  }
  SOCK_TRY(std::move(first_failure));
  return all;
}

}  // namespace sock::state
