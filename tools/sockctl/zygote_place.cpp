// The directory of who holds zygotes, and its locks.

#include "zygote_place.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

#include "state_dir.hpp"

namespace sockctl {
namespace {

// Names in such a directory can be taken by others, even where nobody can remove ours.
Result<> refuse_shared_parent(const std::string& state) {
  const auto parent = std::filesystem::path{state}.parent_path().string();
  struct stat found {};
  if (::stat(parent.c_str(), &found) != 0) return last_error(parent);
  if ((found.st_mode & S_IWOTH) == 0) return {};
  return refuse(Errc::denied, Stage::state, state,
                "others may write to the directory it is in; give --state-dir DIR");
}

}  // namespace

Result<sock::UniqueFd> open_zygote_dir(const std::string& state) {
  SOCKCTL_TRY(refuse_shared_parent(state));
  SOCKCTL_TRY(prepare_state_dir(state));
  const auto path = state + "/zygotes";
  SOCKCTL_TRY(ensure_private_dir(path));
  return open_at(here, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Result<sock::UniqueFd> open_zygote_lock(sock::FdRef dir, const char* name) {
  constexpr mode_t owner_only = 0600;
  return open_at(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, owner_only);
}

Result<std::optional<sock::UniqueFd>> claim_zygotes(sock::FdRef dir) {
  const auto starting = SOCKCTL_TRY(open_zygote_lock(dir, "start"));
  SOCKCTL_TRY(lock(starting));
  auto life = SOCKCTL_TRY(open_zygote_lock(dir, "lock"));
  if (!SOCKCTL_TRY(try_lock(life, Lock::exclusive))) return std::optional<sock::UniqueFd>{};
  return std::optional{std::move(life)};
}

}  // namespace sockctl
