// The living side of an instance directory: making it, recording in it, removing it.

#include "state/instance.hpp"

#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "base/try.hpp"
#include "state/directory.hpp"
#include "sys/file.hpp"
#include "sys/replace.hpp"

namespace sock::state {

struct Instance::Impl {
  UniqueFd state_dir;
  std::string id;
  UniqueFd directory;
  UniqueFd lock;
  pid_t owner;

  Impl(UniqueFd state, std::string name, UniqueFd opened, UniqueFd locked) noexcept
      : state_dir{std::move(state)},
        id{std::move(name)},
        directory{std::move(opened)},
        lock{std::move(locked)},
        owner{::getpid()} {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  // A copy of the program made by fork() must not remove what its parent still uses. What cannot be
  // removed at once stays recorded, for the janitor or the next Host.
  ~Impl() {
    if (::getpid() != owner) return;
    static_cast<void>(
        clear_instance(state_dir, directory, id, std::chrono::steady_clock::now()).has_value());
  }
};

namespace {

struct Made {
  UniqueFd directory;
  UniqueFd lock;
};

/// Empty when a recovery took the new directory, which it may until the lock is held.
Result<std::optional<Made>> make_locked(FdRef state_dir, const std::string& id) {
  SOCK_TRY(sys::make_dir(state_dir, id, 0700));
  Made made;
  auto directory = sys::open_beneath(state_dir, id, O_RDONLY | O_DIRECTORY);
  if (!directory && directory.error().code == Errc::not_found) return std::optional<Made>{};
  made.directory = SOCK_TRY(std::move(directory));
  auto lock =
      sys::open_beneath(made.directory, std::string{lock_file}, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!lock && lock.error().code == Errc::not_found) return std::optional<Made>{};
  made.lock = SOCK_TRY(std::move(lock));
  if (!SOCK_TRY(sys::try_lock(made.lock)) || !SOCK_TRY(is_lock_of(made.lock, made.directory)))
    return std::optional<Made>{};
  return std::optional<Made>{std::move(made)};
}

Result<UniqueFd> make_state_dir(std::string path) {
  // With a slash at its end a symlink would be followed.
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.empty())
    return base::refuse(Errc::invalid_spec, Stage::validate, "state_dir", "it is required");
  auto made = sys::make_dir(sys::cwd, path, 0700);
  if (!made && made.error().code != Errc::exists) {
    made.error().stage = Stage::state;
    if (made.error().code == Errc::not_found)
      made.error().hint = "only the last directory of the path is made";
    return std::unexpected(std::move(made).error());
  }
  return open_state_dir(path);
}

}  // namespace

Instance::Instance(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Instance::Instance(Instance&&) noexcept = default;
Instance& Instance::operator=(Instance&&) noexcept = default;
Instance::~Instance() = default;

Result<Instance> Instance::create(const std::string& state_dir) {
  UniqueFd state = SOCK_TRY(make_state_dir(state_dir));
  constexpr int most_attempts = 100;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    std::string id = SOCK_TRY(base::in_stage(Stage::state, sys::random_hex(8)));
    auto made = base::in_stage(Stage::state, make_locked(state, id));
    if (!made) {
      static_cast<void>(sys::remove_dir(state, id).has_value());  // If it is there, and empty.
      return std::unexpected(std::move(made).error());
    }
    if (made->has_value())
      return Instance{std::make_unique<Impl>(std::move(state), std::move(id),
                                             std::move((*made)->directory),
                                             std::move((*made)->lock))};
  }
  return base::refuse(Errc::exhausted, Stage::state, state_dir, "somebody keeps recovering it");
}

const std::string& Instance::id() const noexcept {
  return impl_->id;
}

FdRef Instance::directory() const noexcept {
  return impl_->directory;
}

FdRef Instance::state_dir() const noexcept {
  return impl_->state_dir;
}

Result<> Instance::record_cgroups(std::span<const std::string> directories) {
  std::string record;
  for (const std::string& directory : directories) record += directory + '\n';
  return base::in_stage(Stage::state,
                        sys::replace_file(impl_->directory, std::string{cgroups_file}, record));
}

}  // namespace sock::state
