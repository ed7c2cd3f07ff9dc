// The state directory of sockctl.

#include "state_dir.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "parse.hpp"

namespace sockctl {
namespace {

constexpr int directory_flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;

std::string containers_dir(const std::string& state) {
  return state + "/containers";
}

// Held while names appear and disappear, so that nobody sees a directory without its lock.
Result<sock::UniqueFd> lock_names(const std::string& state) {
  auto file = SOCKCTL_TRY(
      open_at(here, containers_dir(state) + "/.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  SOCKCTL_TRY(lock(file));
  return file;
}

Result<> remove_directory(const std::string& state, const std::string& name) {
  std::error_code problem;
  std::filesystem::remove_all(containers_dir(state) + "/" + name, problem);
  if (problem)
    return std::unexpected(Error{
        .code = Errc::io, .stage = Stage::state, .sys_errno = problem.value(), .subject = name});
  return {};
}

}  // namespace

Result<std::string> choose_state_dir(const std::string& option,
                                     const StateEnvironment& environment) {
  std::string chosen = option;
  if (chosen.empty()) chosen = environment.sock_state_dir.value_or("");
  if (chosen.empty() && environment.uid == 0) chosen = "/run/sock";
  if (chosen.empty() && !environment.xdg_runtime_dir.value_or("").empty())
    chosen = *environment.xdg_runtime_dir + "/sock";
  if (chosen.empty())
    return refuse(Errc::not_found, Stage::state, "no state directory",
                  "set XDG_RUNTIME_DIR, or give --state-dir DIR");
  if (chosen.front() != '/') return refuse_option("--state-dir", chosen, "an absolute path");
  return chosen;
}

Result<> prepare_state_dir(const std::string& state) {
  SOCKCTL_TRY(ensure_private_dir(state));
  SOCKCTL_TRY(ensure_private_dir(hosts_dir(state)));
  return ensure_private_dir(containers_dir(state));
}

std::string hosts_dir(const std::string& state) {
  return state + "/hosts";
}

Result<NewEntry> create_entry(const std::string& state, const std::string& name) {
  const auto names = SOCKCTL_TRY(lock_names(state));
  const std::string path = containers_dir(state) + "/" + name;
  if (::mkdir(path.c_str(), 0700) != 0) {
    auto error = last_error(name);
    if (error.error().code == Errc::exists)
      return refuse(Errc::exists, Stage::state, name,
                    fmt::format("another container has this name; sockctl rm {}", name));
    return error;
  }
  auto dir = SOCKCTL_TRY(open_at(here, path, directory_flags));
  auto file = SOCKCTL_TRY(open_at(dir, "lock", O_RDWR | O_CREAT | O_EXCL, 0600));
  SOCKCTL_TRY(lock(file));
  return NewEntry{.entry = {.name = name, .dir = std::move(dir)}, .lock = std::move(file)};
}

Result<Entry> open_entry(const std::string& state, const std::string& name) {
  SOCKCTL_TRY(check_name(name));
  auto dir = open_at(here, containers_dir(state) + "/" + name, directory_flags);
  if (!dir.has_value() && dir.error().code == Errc::not_found)
    return refuse(Errc::not_found, Stage::state, name, "no such container; sockctl ps lists them");
  if (!dir.has_value()) return std::unexpected(std::move(dir).error());
  return Entry{.name = name, .dir = std::move(*dir)};
}

Result<std::vector<Entry>> list_entries(const std::string& state) {
  std::vector<Entry> entries;
  std::error_code problem;
  std::filesystem::directory_iterator found{containers_dir(state), problem};
  if (problem) {
    if (problem == std::errc::no_such_file_or_directory) return entries;
    return std::unexpected(Error{.code = Errc::io,
                                 .stage = Stage::state,
                                 .sys_errno = problem.value(),
                                 .subject = containers_dir(state)});
  }
  for (const auto end = std::filesystem::directory_iterator{}; found != end && !problem;
       found.increment(problem)) {
    const std::string name = found->path().filename();
    if (!check_name(name).has_value()) continue;
    // One that has gone meanwhile is not there.
    auto entry = open_entry(state, name);
    if (entry.has_value()) entries.push_back(std::move(*entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

Result<bool> is_alive(const Entry& entry) {
  const auto file = open_at(entry.dir, "lock", O_RDONLY | O_NOFOLLOW);
  if (!file.has_value()) return false;
  return !SOCKCTL_TRY(try_lock(*file, Lock::shared));
}

Result<bool> remove_if_dead(const std::string& state, const std::string& name) {
  const auto names = SOCKCTL_TRY(lock_names(state));
  const auto entry = SOCKCTL_TRY(open_entry(state, name));
  if (SOCKCTL_TRY(is_alive(entry))) return false;
  SOCKCTL_TRY(remove_directory(state, name));
  return true;
}

Result<> remove_own(const std::string& state, const std::string& name) {
  const auto names = SOCKCTL_TRY(lock_names(state));
  return remove_directory(state, name);
}

Result<std::string> random_name() {
  std::array<unsigned char, 4> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return last_error("getrandom");
  return fmt::format("sock-{:02x}{:02x}{:02x}{:02x}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

}  // namespace sockctl
