#pragma once

// Where sockctl keeps what outlives it:
//
//   STATE/hosts/               the library's state directory
//   STATE/containers/.lock     held while a container's directory is made or removed
//   STATE/containers/NAME/     a detached container, 0700
//     lock                     held (flock) by its monitor for as long as that lives
//     control                  the monitor's socket
//     log, log.1               what the payload printed

#include <optional>
#include <string>
#include <vector>

#include "posix.hpp"

namespace sockctl {

struct StateEnvironment {
  std::optional<std::string> sock_state_dir = {};   ///< SOCK_STATE_DIR
  std::optional<std::string> xdg_runtime_dir = {};  ///< XDG_RUNTIME_DIR
  uid_t uid = 0;
};
/// --state-dir, SOCK_STATE_DIR, /run/sock for root, XDG_RUNTIME_DIR/sock. Never below /tmp by
/// itself: names there can be taken by others.
Result<std::string> choose_state_dir(const std::string& option,
                                     const StateEnvironment& environment);

/// Makes STATE, hosts and containers where they are missing.
Result<> prepare_state_dir(const std::string& state);
std::string hosts_dir(const std::string& state);

/// A container's directory, opened.
struct Entry {
  std::string name;
  sock::UniqueFd dir;
};
/// A new directory whose lock is held by `lock` and whoever inherits it. Errc::exists for a name
/// in use.
struct NewEntry {
  Entry entry;
  sock::UniqueFd lock;
};
Result<NewEntry> create_entry(const std::string& state, const std::string& name);
Result<Entry> open_entry(const std::string& state, const std::string& name);
/// Sorted by name; none when the state directory does not exist yet.
Result<std::vector<Entry>> list_entries(const std::string& state);
/// Whether its monitor lives.
Result<bool> is_alive(const Entry& entry);
/// Removes a directory whose monitor is dead: true. A living one is left alone: false.
Result<bool> remove_if_dead(const std::string& state, const std::string& name);
/// For the monitor itself, which holds the lock.
Result<> remove_own(const std::string& state, const std::string& name);

/// "sock-1a2b3c4d"
Result<std::string> random_name();

}  // namespace sockctl
