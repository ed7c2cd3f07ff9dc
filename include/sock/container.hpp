#pragma once

// A running container and what can be done with it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock {

class SnapshotStore;  // sock/checkpoint.hpp
struct CheckpointOptions;
struct Snapshot;

struct ExitStatus {
  enum class Kind : std::uint8_t {
    exited,      ///< value: the exit code.
    signaled,    ///< value: the signal's number.
    oom_killed,  ///< The kernel killed it for the memory limit; value: the signal's number.
    timed_out,   ///< Its time limit passed; value: the signal's number.
    lost,  ///< The embedding program reaped the child first, and the kernel is too old to tell.
  };
  Kind kind;
  int value;
  [[nodiscard]] bool ok() const noexcept { return kind == Kind::exited && value == 0; }
  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};
[[nodiscard]] std::string_view to_string(ExitStatus::Kind) noexcept;

struct StageTiming {
  Stage stage;
  std::chrono::nanoseconds elapsed;
};

/// Use of resources by everything in the container since its start. A field that the machine's
/// cgroups do not count is empty.
struct Stats {
  std::optional<std::uint64_t> memory_current = {};  ///< bytes
  std::optional<std::uint64_t> memory_peak = {};     ///< bytes
  std::optional<std::uint64_t> oom_kills = {};
  std::optional<std::chrono::nanoseconds> cpu_total = {};
  std::optional<std::chrono::nanoseconds> cpu_user = {};
  std::optional<std::chrono::nanoseconds> cpu_system = {};
  std::optional<std::chrono::nanoseconds> cpu_throttled = {};
  std::optional<std::uint64_t> pids_current = {};
};

/// A further process of a container. Destroying the handle leaves the process alone; it ends at the
/// latest with its container, which also reaps it. One that was moved from gives Errc::closed.
/// Thread safety: as Container.
class Process {
 public:
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  [[nodiscard]] FdRef pidfd() const noexcept;
  [[nodiscard]] pid_t pid() const noexcept;
  [[nodiscard]] FdRef terminal() const noexcept;  ///< Empty unless asked for.
  /// Blocking: until the process has ended.
  Result<ExitStatus> wait();
  /// Blocking: until the process has ended or the deadline; empty when it still runs.
  Result<std::optional<ExitStatus>> wait_until(std::chrono::steady_clock::time_point deadline);
  Result<> signal(int number);

  struct Impl;  ///< The library's own.

 private:
  friend class Container;
  explicit Process(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// How a container came to be: whence its first process.
enum class Origin : std::uint8_t {
  created,   ///< By executing the payload.
  forked,    ///< From a zygote, when it was asked for.
  spare,     ///< From a zygote, ahead of the request: see Zygote::keep_spares().
  restored,  ///< From a snapshot, its own or of a zygote.
};
[[nodiscard]] std::string_view to_string(Origin) noexcept;

/// A running container. Move-only; destroying it kills whatever is still running in it and gives
/// its cgroup back to the pool. It must not outlive its Host. One that was moved from has no name
/// and no descriptors, and every verb gives Errc::closed.
///
/// Thread safety: const members may be called from several threads at once, and so may signal(),
/// kill(), pause() and resume() beside one waiting thread; others need external synchronisation.
/// Not tied to the thread that created it.
class Container {
 public:
  Container(Container&&) noexcept;
  Container& operator=(Container&&) noexcept;
  ~Container();

  [[nodiscard]] const std::string& name() const noexcept;
  /// Readable when the first process has exited. Valid while *this lives; give it to poll, epoll or
  /// io_uring instead of blocking in wait(). After exec(), watch Process::pidfd() as well and wait
  /// for those that end: a container ends only after all its processes have been reaped.
  [[nodiscard]] FdRef pidfd() const noexcept;
  /// The first process in the caller's pid namespace, for display only: a number is no identity.
  [[nodiscard]] pid_t pid() const noexcept;
  /// The master of the terminal that Stdio::terminal asked for; empty otherwise.
  [[nodiscard]] FdRef terminal() const noexcept;
  [[nodiscard]] Origin origin() const noexcept;
  /// Time spent in each stage of the launch, in order, measured by the library itself.
  [[nodiscard]] std::span<const StageTiming> timings() const noexcept;

  /// Waits for the end of the payload. May be called again; the status stays known.
  /// Blocking: yes. On failure: Stage::wait.
  Result<ExitStatus> wait();
  /// As wait(), but empty when the container still runs at the deadline.
  Result<std::optional<ExitStatus>> wait_until(std::chrono::steady_clock::time_point deadline);

  /// Freezes every process. Returns once all are frozen; at most about a second, then timed_out
  /// with the container running again.
  Result<> pause();
  Result<> resume();
  /// Sends a signal to the payload (through its init, where it has one).
  Result<> signal(int number);
  /// Kills everything in the container, paused or not, and returns once no process is left.
  /// Idempotent.
  Result<> kill();
  [[nodiscard]] Result<Stats> stats() const;
  /// Changes the limits of the running container.
  Result<> update(const Resources& resources);
  /// Starts a further process. Returns after execve() succeeded.
  Result<Process> exec(const ExecSpec& spec);
  /// Writes a snapshot of all its processes, from which Host::restore() makes containers. Only of
  /// one with ContainerSpec::checkpointable, that is not paused, and in which nothing runs by
  /// exec(). On failure it runs on, and nothing is left of the snapshot, unless the Error says that
  /// it was killed; Stage::checkpoint, with the descriptor or process that cannot be in a snapshot
  /// as subject, or CRIU's own words as hint. Blocking: as long as writing its memory takes, in
  /// which it is stopped for the most part.
  Result<Snapshot> checkpoint(SnapshotStore& store, const CheckpointOptions& options);

  struct Impl;  ///< The library's own.

 private:
  friend class Host;
  friend class Zygote;
  friend class ZygoteDomain;
  explicit Container(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
