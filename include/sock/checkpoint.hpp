#pragma once

// Snapshots: containers and zygotes written to disk with everything that they have in memory, and
// brought back any number of times. Containers are written and restored by CRIU (criu.org),
// zygotes, which take part in it, by ourselves.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sock/container.hpp"
#include "sock/image.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock {

struct CheckpointOptions {
  std::string name;  ///< Of the snapshot, unique in its store: as ContainerSpec::name.
  enum class After : std::uint8_t { keep_running, stop } after = After::keep_running;
  /// What its root was made of, in words for people and for those who decide what may be removed:
  /// "app:v1@sha256:...", "numpy==1.24.2". Kept as they are.
  std::vector<std::string> origins = {};
  /// CRIU that takes longer is killed, and the container with it: nobody knows then in what state
  /// its processes are.
  std::chrono::milliseconds deadline{60'000};
  /// Whatever the caller wants to find in the snapshot again: at most 1 MiB.
  std::string annotation = {};
  /// How the memory of a container comes back. `mapped`: from a file of the snapshot, copy on
  /// write, so that a restore takes no time for it and all restored containers share what they only
  /// read. But what a process gives up by madvise(MADV_DONTNEED) comes back as it was in the
  /// snapshot, not as zeros, and some allocators rely on zeros: jemalloc, V8's, Go's. `automatic`
  /// maps the memory of processes whose programs and libraries are known not to, and
  /// Snapshot::copied says why others are copied.
  enum class Memory : std::uint8_t { automatic, mapped, copied } memory = Memory::automatic;
};

/// A snapshot in a store. A description only: holding one keeps nothing alive.
struct Snapshot {
  std::string name;
  enum class Kind : std::uint8_t { container, zygote } kind = Kind::container;
  /// As the container was started, without descriptors; its name is the container's. Of a zygote:
  /// its domain's name, root, environment and limits; argv is the interpreter.
  ContainerSpec spec;
  std::vector<std::string> origins = {};
  std::chrono::system_clock::time_point created = {};
  std::size_t processes = 0;
  std::uint64_t bytes = 0;   ///< All files together.
  std::string criu = {};     ///< The version that has written it: "4.2.1". Empty for a zygote.
  std::string kernel = {};   ///< "6.18.5"
  std::string machine = {};  ///< "x86_64"
  std::string digest = {};   ///< "sha256:...", of its manifest and so of all its files.
  std::string annotation = {};
  /// Of a container: memory that a restore maps instead of copying it.
  std::uint64_t mapped_bytes = 0;
  /// "process 2 (/usr/bin/x): why", for each process whose memory a restore copies.
  std::vector<std::string> copied = {};
  /// Of SnapshotStore::list() alone: why it cannot be used; then nothing but its name is known.
  std::string problem = {};
};

/// A snapshot that was verified, and that nobody removes as long as the handle lives. Move-only.
class SnapshotInUse {
 public:
  SnapshotInUse(SnapshotInUse&&) noexcept;
  SnapshotInUse& operator=(SnapshotInUse&&) noexcept;
  ~SnapshotInUse();
  [[nodiscard]] const Snapshot& snapshot() const noexcept;

  struct Impl;  ///< The library's own.

 private:
  friend class SnapshotStore;
  friend class Host;
  explicit SnapshotInUse(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// What a restored container does not have from its snapshot.
struct RestoreOptions {
  std::string name;                         ///< As ContainerSpec::name.
  std::optional<Resources> resources = {};  ///< Empty: those of the snapshot.
  /// A pipe for each descriptor that the container was given; no others, and no terminal.
  Stdio stdio = {};
  std::vector<NamedFd> fds = {};
  std::chrono::milliseconds deadline{30'000};  ///< Then it is killed with all it has started.
};

struct SnapshotStoreOptions {
  /// Made with mode 0700 where it is missing: snapshots hold whatever a container had in memory,
  /// secrets too. Several processes may share it; never put it below a directory that others may
  /// write to.
  std::string directory;
};

/// What SnapshotStore::gc() has removed.
struct SnapshotGarbage {
  std::size_t unfinished = 0;  ///< Left by those that were killed.
};

/// A directory of snapshots. Thread-safe, and safe between processes. One that was moved from gives
/// Errc::closed.
class SnapshotStore {
 public:
  /// On failure: Errc::unsupported for a store of a newer format, Errc::denied for a directory of
  /// somebody else.
  static Result<SnapshotStore> open(const SnapshotStoreOptions& options);
  SnapshotStore(SnapshotStore&&) noexcept;
  SnapshotStore& operator=(SnapshotStore&&) noexcept;
  ~SnapshotStore();

  [[nodiscard]] Result<std::vector<Snapshot>> list() const;  ///< Sorted by name.
  [[nodiscard]] Result<Snapshot> find(const std::string& name) const;
  /// Verifies and keeps it. Only what has passed this is ever given to CRIU. On failure:
  /// Errc::corrupt naming the file, Errc::not_found. Blocking: as long as reading takes.
  [[nodiscard]] Result<SnapshotInUse> use(const std::string& name) const;
  /// Re-reads every file and compares it with what was written.
  [[nodiscard]] Result<Verification> verify(const std::string& name) const;
  /// On failure: Errc::exhausted for one that is being restored. Containers that were restored do
  /// not need it any more.
  Result<> remove(const std::string& name);
  Result<SnapshotGarbage> gc();

  struct Impl;  ///< The library's own.

 private:
  friend class Container;
  friend class Zygote;
  explicit SnapshotStore(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
