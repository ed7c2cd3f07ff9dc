#pragma once

// Snapshots: containers and zygotes written to disk with everything that they have in memory, and
// brought back any number of times. Containers are written and restored by CRIU (criu.org),
// zygotes, which take part in it, by ourselves.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

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
  /// snapshot, not as zeros, and a mapping that grows by mremap() grows by what follows in the
  /// file; some allocators rely on zeros: jemalloc, V8's, Go's. `automatic` maps the memory of
  /// processes whose programs and libraries are known not to, and Snapshot::copied says why others
  /// are copied. What is mapped in a container that was restored stays so.
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

/// What a snapshot holds of one process.
struct SnapshotProcess {
  struct Mapping {
    std::uint64_t begin;
    std::uint64_t end;
    int protection;  ///< PROT_*
    bool is_shared = false;
    /// Its file's path in the root, "[heap]", "[stack]", or one of the kernel's own ("[vdso]",
    /// ...); nothing where it is anonymous.
    std::string what = {};
    std::uint64_t copied_bytes = 0;  ///< Of it in the snapshot, and copied by a restore.
    std::uint64_t mapped_bytes = 0;  ///< Of it in the snapshot, and mapped by a restore.
    friend bool operator==(const Mapping&, const Mapping&) = default;
  };
  struct Descriptor {
    int number;
    std::string kind;  ///< "file", "pipe", "unix socket", "epoll", "terminal", ...
    /// Its path in the root, a unix socket's name ("@..." for an abstract one), or "pipe:[N]", the
    /// same for both ends; may be empty.
    std::string name = {};
    friend bool operator==(const Descriptor&, const Descriptor&) = default;
  };
  pid_t pid = 0;             ///< In the container. 0 of a zygote: each fork has its own.
  pid_t parent = 0;          ///< 0: none in the container.
  std::string name = {};     ///< As in /proc/PID/comm.
  std::string program = {};  ///< Its path in the root; empty of a process that has ended.
  std::size_t threads = 1;
  std::vector<Mapping> mappings = {};        ///< By address.
  std::vector<Descriptor> descriptors = {};  ///< A zygote has none.
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
  /// Instead of the snapshot's: what was that user's, or that group's, among its processes and in
  /// its tmpfs mounts is the new one's then. Not what it may write to outside, and not what other
  /// ids own in it. Errc::unsupported for a container with System V IPC objects.
  struct User {
    uid_t uid;
    gid_t gid;
    std::vector<gid_t> groups = {};  ///< Supplementary.
    friend bool operator==(const User&, const User&) = default;
  };
  std::optional<User> user = {};
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

struct SnapshotExportOptions {
  /// Called now and then, from the exporting thread.
  std::function<void(const ImportProgress&)> progress = {};
};

struct SnapshotImportOptions {
  /// For it in the store, as ContainerSpec::name. Empty: the one that it was exported by.
  std::string name = {};
  /// What it may take; those of layers, ratios and documents mean nothing here.
  ImportLimits limits = {};
  /// Called now and then, from the importing thread.
  std::function<void(const ImportProgress&)> progress = {};
};

/// What two snapshots, the one before and the one after, do not have in common; and of their memory
/// what they do. When they were written, and what only the kernel numbers, is not compared.
struct SnapshotDifference {
  /// Something that both, or one of them, say of themselves: "processes", "machine.kernel",
  /// "container.argv.2". The values are JSON; empty where it is not there.
  struct Field {
    std::string name;
    std::string before = {};
    std::string after = {};
    friend bool operator==(const Field&, const Field&) = default;
  };
  /// A file that one of them alone has, or that is not the same: "images/core-1.img", or of a tmpfs
  /// mount its path in the container. Bytes are empty where it is not there, and 0 of what is no
  /// regular file.
  struct File {
    std::string name;
    std::optional<std::uint64_t> before = {};
    std::optional<std::uint64_t> after = {};
    /// Of a file of memory pages that both have: how many there are in both, wherever in it.
    std::optional<std::uint64_t> common_pages = {};
    friend bool operator==(const File&, const File&) = default;
  };
  /// Memory pages of 4 KiB, all files of them together; a page of zeros counts as any other.
  struct Pages {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::uint64_t common = 0;  ///< In both, wherever.
    friend bool operator==(const Pages&, const Pages&) = default;
  };
  std::vector<Field> fields = {};  ///< Sorted by name, as the files are.
  std::vector<File> files = {};
  Pages pages = {};
  friend bool operator==(const SnapshotDifference&, const SnapshotDifference&) = default;
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
  /// What it holds, process by process, as its files say it: nothing is verified. On failure:
  /// Errc::not_found, Errc::corrupt, the latter also beyond 10,000 processes, and for all of them
  /// together 2^20 mappings, as many descriptors and 64 MiB of names.
  [[nodiscard]] Result<std::vector<SnapshotProcess>> processes(const std::string& name) const;
  /// Verifies and keeps it. Only what has passed this is ever given to CRIU. On failure:
  /// Errc::corrupt naming the file, Errc::not_found. Blocking: as long as reading takes.
  [[nodiscard]] Result<SnapshotInUse> use(const std::string& name) const;
  /// Re-reads every file and compares it with what was written.
  [[nodiscard]] Result<Verification> verify(const std::string& name) const;
  /// Compares two snapshots. Reads their memory pages, but verifies nothing. On failure:
  /// Errc::not_found, Errc::corrupt. Blocking: as long as reading takes.
  [[nodiscard]] Result<SnapshotDifference> diff(const std::string& before,
                                                const std::string& after) const;
  /// Writes a snapshot, verified on the way, into a new tar file of mode 0600, which holds whatever
  /// the container had in memory. If anything fails, nothing is left. The image and the packages of
  /// its root are named in it (Snapshot::origins), and are not in it. On failure: Errc::exists for
  /// a file that is there, Errc::corrupt for a damaged snapshot. Blocking: as long as reading and
  /// writing takes.
  Result<> save(const std::string& name, const std::string& file,
                const SnapshotExportOptions& options = {}) const;
  /// Takes in what save() has written, and verifies it before the store shows anything of it. That
  /// tells whether it is what was written, not by whom: a restored container does what its snapshot
  /// says, so take none from those whom you would not let start one. Whether it can be restored
  /// here is seen at the restore. On failure: Errc::exists for a name in use, Errc::corrupt for a
  /// file that is not what it says, Errc::exhausted beyond a limit. Blocking: as long as reading
  /// and writing takes.
  Result<Snapshot> add(const std::string& file, const SnapshotImportOptions& options = {});
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
