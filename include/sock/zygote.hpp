#pragma once

// Zygotes: processes that have imported packages, or loaded shared objects, and are forked to make
// containers (SOCK, USENIX ATC'18, section 4.2).
//
// Zygotes live in a domain: a lean container with a user namespace of its own, so that the code of
// a package never holds a capability outside it. All zygotes of a domain, and the containers forked
// from them, may share memory: one domain for each trust domain (a tenant, or public packages).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sock/container.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock {

class SnapshotStore;
struct CheckpointOptions;
struct Snapshot;

/// What zygotes are, and so what `modules` and a payload's `argv` mean.
enum class Runtime : std::uint8_t {
  python,  ///< An interpreter that imports modules. A payload is its -c, -m or file.
  native,  ///< A program that loads shared objects in C or C++, see sock/handler.h. The root must
           ///< have the C library of this machine, or a newer one. A payload is an object, which
           ///< the container's root need not have.
};

struct ZygoteDomainSpec {
  std::string name;  ///< As ContainerSpec::name, among the containers of the Host.
  /// What imports see. Containers have roots of their own, in which the interpreter and the
  /// packages must have the same paths.
  Rootfs rootfs;
  Runtime runtime = Runtime::python;
  /// Of Runtime::python, otherwise ignored: CPython 3.9 or newer.
  std::vector<std::string> interpreter = {"python3"};
  std::vector<std::string> env = {};  ///< While importing.
  Resources resources = {};           ///< Of all zygotes together.
  /// Empty: 65,536 ids that no other domain of this Host has.
  std::optional<UserNamespace> user = {};
  /// For the runtime to come up, and for each fork.
  std::chrono::milliseconds deadline{10'000};
};

/// What a zygote has more than its parent.
struct ImportSpec {
  /// As in an import statement. Of Runtime::native: whole paths of shared objects in the root.
  std::vector<std::string> modules;
  /// Appended to the search path, if they are not in it. Runtime::native has none.
  std::vector<std::string> paths = {};
  std::chrono::milliseconds deadline{60'000};
};

/// What a zygote holds of the machine's memory; bytes.
struct ZygoteMemory {
  std::uint64_t rss;             ///< Mapped, whoever shares it.
  std::uint64_t pss;             ///< Each page divided by the number of processes that map it.
  std::uint64_t private_memory;  ///< What its end would free now.
  std::uint64_t anonymous;       ///< Of rss, what no file backs: what it has in its heap.
};

/// One zygote. Killing or destroying it leaves the containers and zygotes that were forked from it
/// alone. It must not outlive its domain.
/// Thread safety: fork() may be called from several threads at once.
class Zygote {
 public:
  Zygote(Zygote&&) noexcept;
  Zygote& operator=(Zygote&&) noexcept;
  ~Zygote();  ///< Ends the zygote.

  /// Forks a container. `spec.argv` is what the interpreter is given: argv[0] its name, then -c, -m
  /// or a file as at a prompt. Of Runtime::native argv[0] names a loaded object, by its path or
  /// file name, with or without .so: its main() is given all of argv, or its handle() answers
  /// events. The container has its own root, cgroup, pid, ipc, uts and cgroup namespaces, identity
  /// and filter, as a created one; its network is none or a loopback of its own, its user namespace
  /// the domain's, and ids are of that. The payload is pid 1, so `spec.init` must be Init::none,
  /// and it keeps no capability. Returns when the payload has nothing left but what the spec gives
  /// it. On failure: nothing is left behind, and the stage says what failed. Blocking: about the
  /// time of a fork().
  Result<Container> fork(const ContainerSpec& spec);

  /// Forks a zygote that imports more. On failure the child is gone and this zygote as before; the
  /// subject of the Error is the exception's last line, or names the object and what is wrong.
  /// Blocking: until the modules are imported.
  Result<Zygote> grow(const ImportSpec& imports);

  /// Children forked ahead and parked, refilled off the request path: after fork() took one, the
  /// next is under way. At most 64. They cost memory (what they have written) and nothing else.
  /// Each waits in a cgroup of its own, that of the container that it will be, with 32 MiB and 8
  /// processes at most: so fork() need not have it join one, for which the kernel takes 5 to 20 ms
  /// after a pause (KERNEL: a v2 group is joined after a grace period of RCU, unless the hierarchy
  /// is mounted with favordynmods).
  Result<> keep_spares(std::size_t count);

  [[nodiscard]] FdRef pidfd() const noexcept;  ///< Readable when the zygote has ended.
  [[nodiscard]] pid_t pid() const noexcept;    ///< For display only.
  /// What grow() spent on importing; 0 for a domain's first zygote.
  [[nodiscard]] std::chrono::nanoseconds import_time() const noexcept;
  /// Errc::closed when it has ended. Blocking: a millisecond or so for a large one, in which it
  /// cannot fork.
  [[nodiscard]] Result<ZygoteMemory> memory() const;
  /// Writes the zygote into a snapshot, of which Host::open_domain() makes a domain with a zygote
  /// that has everything imported; see checkpoint.hpp. It is a child of this zygote that is written
  /// down, so this one may go on forking meanwhile. What was registered with
  /// snapshot_restore_py.register_before_snapshot() runs in the child first. On failure: nothing is
  /// left in the store; Errc::unsupported names what no snapshot can hold, Errc::exists a name in
  /// use; Stage::fork: it could not be parked. Blocking: as long as copying its memory takes.
  /// With After::stop, an error of kill() leaves the snapshot.
  /// KERNEL: as for domains, and CONFIG_CHECKPOINT_RESTORE.
  Result<Snapshot> checkpoint(SnapshotStore& store, const CheckpointOptions& options);
  /// Ends the zygote and its spares. Idempotent.
  Result<> kill();

  struct Impl;  ///< The library's own.

 private:
  friend class ZygoteDomain;
  explicit Zygote(std::unique_ptr<Impl>) noexcept;
  Result<> import(const ImportSpec& imports);
  std::unique_ptr<Impl> impl_;
};

/// What a domain does not have from its snapshot.
struct RestoreDomainOptions {
  std::string name;                         ///< As ContainerSpec::name.
  std::optional<Resources> resources = {};  ///< Empty: those of the snapshot.
  /// Empty: 65,536 ids that no other domain of this Host has.
  std::optional<UserNamespace> user = {};
};

/// A container in which zygotes live. Destroying it kills them and every container that was forked
/// in it. It must not outlive its Host.
class ZygoteDomain {
 public:
  ZygoteDomain(ZygoteDomain&&) noexcept;
  ZygoteDomain& operator=(ZygoteDomain&&) noexcept;
  ~ZygoteDomain();

  /// A zygote with the bare runtime, the root of an import tree. The first one is up when the
  /// domain is; later ones are started afresh.
  /// Blocking: until the runtime is up.
  Result<Zygote> start_zygote();
  /// The domain itself: its name, use of resources, and whether it still runs. Not of one that was
  /// moved from.
  [[nodiscard]] Container& container() noexcept;
  [[nodiscard]] const UserNamespace& user_namespace() const noexcept;

  struct Impl;  ///< The library's own.

 private:
  friend class Host;
  explicit ZygoteDomain(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
