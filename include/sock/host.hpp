#pragma once

// The library's one root object.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sock/container.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"
#include "sock/zygote.hpp"

namespace sock {

class ImportCache;  // sock/import_cache.hpp
struct ImportCacheSpec;
class SnapshotInUse;  // sock/checkpoint.hpp
struct RestoreOptions;

enum class CgroupBackend : std::uint8_t {
  automatic,  ///< What the machine has: v2, hybrid, v1; none where nothing is writable.
  v2,
  v1,
  hybrid,  ///< A v2 leaf for placement, freezing and killing; v1 leaves for limits.
  none,    ///< No limits, statistics or pausing. A spec that asks for a limit is refused.
};
[[nodiscard]] std::string_view to_string(CgroupBackend) noexcept;

struct CgroupOptions {
  CgroupBackend backend = CgroupBackend::automatic;
  /// The delegated cgroup under which this Host makes its own, relative to each hierarchy's mount
  /// ("/user.slice/me"). Empty: the caller's, or on v2 the nearest above it that can have limits.
  std::string parent = {};
  std::size_t reserve = 16;  ///< Prepared groups kept for the next containers.
};

struct HostOptions {
  /// Owned by this library; made with mode 0700. Several Hosts may share it. Never put it below a
  /// directory that others may write to.
  std::string state_dir;
  CgroupOptions cgroup = {};
  /// Where sock-init and sock-janitor are; empty: where `meson install` put them.
  std::string libexec_dir = {};
  /// Kernel features to treat as missing, by the names that check() prints: for tests, and for a
  /// kernel on which one is broken.
  std::vector<std::string> without = {};
  /// CRIU's program, for checkpoint and restore; empty: where scripts/install-criu puts it, or the
  /// system's.
  std::string criu = {};
};

/// What a dead Host had left behind and Host::recover() has removed.
struct Recovery {
  std::size_t hosts = 0;
  std::size_t processes = 0;
  std::size_t cgroups = 0;
  std::size_t files = 0;
};

/// Everything else is created from a Host, and must not outlive it. There are no globals.
///
/// Thread-safe. Starts no thread, installs no signal handler, prints nothing and reads no
/// environment variable. It starts one small process, the janitor, which removes what is left when
/// the embedding program dies. One that was moved from gives Errc::closed.
class Host {
 public:
  /// Opens the state directory, recovers what dead Hosts left in it, and prepares cgroups and
  /// namespaces. Blocking: a few milliseconds.
  static Result<Host> open(const HostOptions& options);
  Host(Host&&) noexcept;
  Host& operator=(Host&&) noexcept;
  ~Host();

  /// Starts a container. Returns after execve() succeeded in the child; if any stage failed,
  /// nothing is left behind and the Error names the stage. Blocking: about the time of a fork.
  Result<Container> create(const ContainerSpec& spec);

  /// Starts a zygote domain; see zygote.hpp. Blocking: until its first interpreter is up.
  Result<ZygoteDomain> open_domain(const ZygoteDomainSpec& spec);
  /// The same with a zygote from a snapshot, which start_zygote() gives. Each domain has a copy of
  /// its own. What the zygote has mapped must be in the root, unchanged. Then run the functions of
  /// snapshot_restore_py.register_after_restore(). On failure: Errc::unsupported when the snapshot
  /// needs another machine or kernel; Stage::restore, with what has changed. Blocking: until the
  /// zygote is up, a few milliseconds.
  Result<ZygoteDomain> open_domain(const SnapshotInUse& snapshot,
                                   const RestoreDomainOptions& options);
  /// Forks a container from a zygote that is not running: what Zygote::fork() gives, without a
  /// domain, and for whatever spec create() takes but checkpointable, with at most 28 fds. It is
  /// created as any other, and its process is the zygote's, whose files must be in its root,
  /// unchanged, and whose memory it shares with the page cache until it writes to it. Of
  /// Runtime::python. The functions of register_after_restore() run first. On failure: nothing is
  /// left behind; as open_domain(), and Stage::restore for a filter that refuses what restoring
  /// takes (munmap, mmap, mremap, and what every program's start needs). Blocking: until the
  /// payload is about to start.
  Result<Container> fork(const SnapshotInUse& snapshot, const ContainerSpec& spec);
  /// Opens a zygote domain that is kept as an import cache; see import_cache.hpp. On failure: as
  /// open_domain(), and invalid_spec for limits that cannot be. Blocking: as open_domain().
  Result<ImportCache> open_import_cache(ImportCacheSpec spec);

  /// Makes a container of a snapshot: another one each time, with its own namespaces, cgroup and
  /// descriptors, whose processes go on where the snapshot was made. Limits and filter are as they
  /// were. On failure: nothing is left behind; Errc::unsupported when the snapshot needs another
  /// machine, Errc::not_found when what its root was made of is gone, Errc::timed_out at the
  /// deadline, else Stage::restore with CRIU's own words as hint. Blocking: as long as reading the
  /// snapshot's memory takes.
  Result<Container> restore(const SnapshotInUse& snapshot, const RestoreOptions& options);

  [[nodiscard]] CgroupBackend cgroup_backend() const noexcept;
  /// Removes what dead Hosts left in a state directory, as open() does. Living ones are untouched.
  static Result<Recovery> recover(const std::string& state_dir);

 private:
  struct Impl;
  explicit Host(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
