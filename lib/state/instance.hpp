#pragma once

// A Host's directory below the state directory: an flock tells living owners from dead ones, and
// what it records lets the janitor or any later Host remove what a dead one left.
//
//   STATE_DIR/<id>/lock      held with flock for as long as the Host lives
//   STATE_DIR/<id>/cgroups   absolute directories, one a line, written before they are created

#include <memory>
#include <span>
#include <string>

#include "sock/fd.hpp"
#include "sock/host.hpp"
#include "sock/result.hpp"

#include "sys/program.hpp"

namespace sock::state {

/// Thread-bound.
class Instance {
 public:
  /// Makes the state directory (0700) if it is missing, and a new instance in it. Refuses a state
  /// directory that is a symlink, belongs to another user or is writable by others.
  static Result<Instance> create(const std::string& state_dir);
  Instance(Instance&&) noexcept;
  Instance& operator=(Instance&&) noexcept;
  ~Instance();  ///< Removes the instance's directory.

  [[nodiscard]] const std::string& id() const noexcept;  ///< [a-z0-9-]+, unique on the machine
  [[nodiscard]] FdRef directory() const noexcept;
  [[nodiscard]] FdRef state_dir() const noexcept;
  Result<> record_cgroups(std::span<const std::string> directories);

 private:
  struct Impl;
  explicit Instance(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// Removes what dead instances left. Instances whose lock is held are untouched. A missing state
/// directory is an empty one. One instance that cannot be cleaned does not stop the others; the
/// first failure is returned at the end.
Result<Recovery> recover(const std::string& state_dir);

/// Removes one dead instance by its directory: its cgroups with their processes, then itself. Also
/// what the janitor does.
Result<Recovery> remove_instance(FdRef state_dir, const std::string& id);

/// The janitor: a small process in a session of its own that holds the reading end of a pipe. When
/// the last writer is gone (the embedding program has ended, however it ended), it removes the
/// instance. It is nobody's child that could be waited for by accident.
class Janitor {
 public:
  /// `program` is sock-janitor. Returns once it is executed: from then on it will notice our end.
  static Result<Janitor> start(const std::string& program, FdRef state_dir, const std::string& id);
  /// Waits until it is in the background. Blocking: about a millisecond, less the time since start.
  Result<> await();
  Janitor(Janitor&&) noexcept = default;
  Janitor& operator=(Janitor&&) noexcept = default;
  ~Janitor() = default;  ///< Closes the pipe; the janitor finds nothing left and exits.

 private:
  Janitor(UniqueFd life_line, sys::Daemon daemon) noexcept;
  UniqueFd life_line_;
  sys::Daemon daemon_;
};

}  // namespace sock::state
