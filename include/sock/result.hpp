#pragma once

// Errors as values: what failed (Errc), at which step (Stage), and the kernel's own reason.
// Stage names are the same in errors, Container::timings(), metrics and benchmark reports.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace sock {

/// What failed, in terms a caller can act on. The kernel's own reason, where there is one, is in
/// Error::sys_errno.
enum class Errc : std::uint8_t {
  invalid_spec,   ///< The description cannot be run as written. Nothing was started.
  unsupported,    ///< This kernel or machine lacks a feature that the call needs.
  denied,         ///< A capability, permission or delegation is missing.
  not_found,      ///< No such image, program, mount source or container.
  exists,         ///< The name is in use.
  exhausted,      ///< A pool, limit or disk is full. Retrying later may work.
  timed_out,      ///< The deadline passed.
  launch_failed,  ///< The child died before the payload ran; see Error::stage.
  closed,         ///< The container, or the process at the other end, is gone.
  corrupt,        ///< Stored state or a received message failed validation.
  io,             ///< Any other failed system call.
};

/// The step that failed or was timed. The launch stages stand in the order in which they run; the
/// payload's part of identity (session and descriptors) comes after landlock.
enum class Stage : std::uint8_t {
  none,
  validate,        ///< Checking the spec, before anything is opened.
  state,           ///< State directory, locks, janitor.
  cgroup,          ///< Taking a cgroup from the pool and writing its limits.
  rootfs,          ///< Stitching the root as a detached mount tree.
  clone,           ///< clone3: the process and its new namespaces.
  import_modules,  ///< A zygote imports what a new one is to have.
  fork,            ///< A zygote makes the process instead.
  restore,         ///< Or all processes come from a snapshot, in one step.
  cgroup_join,     ///< The child enters its cgroups.
  namespaces,      ///< The child enters kept namespaces (empty mount, empty net, user).
  mounts,          ///< Mounts that only the child can make: /proc, and all before Linux 6.15.
  root,            ///< chroot or pivot_root, and the working directory.
  identity,        ///< User and group ids, session, descriptors.
  capabilities,    ///< Dropping capabilities and setting no_new_privs.
  landlock,        ///< Scoping of abstract sockets.
  rlimits,         ///< Resource limits of the process.
  seccomp,         ///< Installing the filter.
  exec,            ///< execve of the payload or of its init.
  wait,
  pause,
  resume,
  kill,
  checkpoint,  ///< Writing a snapshot, or reading what is in one.
  stats,
};

struct Error {
  Errc code;
  Stage stage = Stage::none;
  int sys_errno = 0;         ///< 0 when the kernel did not refuse anything.
  std::string subject = {};  ///< The path, name or option that the error is about.
  std::string hint = {};     ///< What to do about it; may be empty.

  /// One line for people: "rootfs: /srv/py311: No such file or directory (not_found)", and the
  /// hint after a semicolon. Both are printable().
  [[nodiscard]] std::string message() const;
};

/// The enumerator's own name: "not_found".
[[nodiscard]] std::string_view to_string(Errc) noexcept;
/// The enumerator's own name: "cgroup_join".
[[nodiscard]] std::string_view to_string(Stage) noexcept;

/// Text of others, safe for logs and terminals: control characters (C0, C1), line separators, marks
/// that reorder or hide text, and bytes that are no UTF-8 become \xNN.
[[nodiscard]] std::string printable(std::string_view text);

/// std::expected with one addition: ignoring a returned Result is a warning. Who would rather catch
/// calls value(), which throws std::bad_expected_access<Error>; nothing else here throws.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

}  // namespace sock
