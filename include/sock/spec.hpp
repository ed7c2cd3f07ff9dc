#pragma once

// What a container is made of: plain data, with required fields first and no default that weakens
// isolation. Nothing here does anything; Host::create() reads it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/seccomp.hpp"
#include "sock/unsafe.hpp"

namespace sock {

/// Rootfs::base for a root made of the machine's own /usr, read-only, with a minimal /etc.
inline constexpr std::string_view host_image = "host";

enum class Access : std::uint8_t { read_only, read_write };

/// One bind mount of a host file or directory. No component of the source may be a symlink, which a
/// payload could have left there; the target is resolved inside the root and is never able to leave
/// it.
struct Bind {
  std::string source;  ///< Absolute path on the host, as realpath(3) gives it.
  std::string target;  ///< Absolute path in the container.
  Access access = Access::read_only;
  friend bool operator==(const Bind&, const Bind&) = default;
};

/// An empty, writable tmpfs; its content is charged to the container's memory limit.
struct Tmpfs {
  std::string target;                     ///< Absolute path in the container.
  std::uint64_t size_max = 64ULL << 20U;  ///< bytes
  /// Files, directories and links. Empty: one for each 4 KiB of size_max, as no file with content
  /// takes less; at least 1024, at most 1,048,576. (The kernel needs about 1 KiB for each.)
  std::optional<std::uint64_t> inodes_max = {};
  std::uint32_t mode = 01777;
  friend bool operator==(const Tmpfs&, const Tmpfs&) = default;
};

/// How the root filesystem is stitched (SOCK, section 4.1): every part is a bind mount, nothing is
/// copied. Everything is read-only but the tmpfs mounts and the binds that say otherwise. /proc and
/// a minimal /dev are always there. For the directories the same holds as for Bind::source.
struct Rootfs {
  std::string base;                        ///< An absolute directory, or host_image.
  std::string handler = {};                ///< Mounted at /handler; empty for none.
  std::vector<std::string> packages = {};  ///< Mounted at /packages/<last path component>.
  std::vector<Bind> binds = {};
  std::vector<Tmpfs> tmpfs = {{"/tmp"}, {"/dev/shm"}};
  /// In a user namespace, owners of `base` are ids of that namespace: what user 0 owns on the disk
  /// belongs to the container's root (id-mapped mounts; nothing is copied or changed). Otherwise
  /// they are the machine's, and strangers to a namespace that does not map them. Needs real root
  /// and a file system that can.
  bool shift_owners = false;
  friend bool operator==(const Rootfs&, const Rootfs&) = default;
};

/// Limits of the whole container, named after the cgroup v2 files. Empty means no limit.
struct Resources {
  std::optional<std::uint64_t> memory_max = {};             ///< bytes
  std::optional<std::uint64_t> swap_max = 0;                ///< bytes of swap on top of memory_max
  std::optional<std::chrono::microseconds> cpu_quota = {};  ///< CPU time per cpu_period
  std::chrono::microseconds cpu_period{100'000};
  std::optional<std::uint32_t> cpu_weight = {};  ///< 1..10000, the kernel's default is 100
  std::optional<std::uint32_t> pids_max = 256;   ///< processes and threads
  friend bool operator==(const Resources&, const Resources&) = default;
};

/// A process limit, by its kernel name without the prefix: "nofile", "core", "fsize", ...
/// Soft and hard are set to the same value.
struct Rlimit {
  std::string name;
  std::uint64_t value;
  friend bool operator==(const Rlimit&, const Rlimit&) = default;
};

/// The network that the payload sees.
class Network {
 public:
  enum class Kind : std::uint8_t { isolated, loopback, join, host };

  /// None: a shared, empty network namespace whose loopback is down (entering it costs 1.4 us);
  /// Landlock keeps containers from each other's abstract sockets. Where Landlock cannot (ABI
  /// below 6), a namespace of its own, which costs 0.4 ms.
  [[nodiscard]] static Network isolated() noexcept { return Network{Kind::isolated, FdRef{}}; }
  /// A network namespace of its own, with 127.0.0.1 and ::1 up.
  [[nodiscard]] static Network loopback() noexcept { return Network{Kind::loopback, FdRef{}}; }
  /// A network namespace made by the caller, borrowed for the length of create().
  [[nodiscard]] static Network join(FdRef network_namespace) noexcept {
    return Network{Kind::join, network_namespace};
  }
  [[nodiscard]] static Network host(unsafe::HostNetwork) noexcept {
    return Network{Kind::host, FdRef{}};
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] FdRef joined() const noexcept { return joined_; }
  friend bool operator==(const Network&, const Network&) noexcept = default;

 private:
  Network(Kind kind, FdRef joined) noexcept : kind_{kind}, joined_{joined} {}
  Kind kind_;
  FdRef joined_;
};

/// One line of /proc/PID/uid_map.
struct IdRange {
  std::uint32_t inside;
  std::uint32_t outside;
  std::uint32_t count;
  friend bool operator==(const IdRange&, const IdRange&) = default;
};

/// A user namespace for payloads that must believe they are root. Containers with equal maps share
/// one namespace; give each tenant its own range.
struct UserNamespace {
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
  friend bool operator==(const UserNamespace&, const UserNamespace&) = default;
};

enum class MountNamespace : std::uint8_t {
  empty,  ///< The Host's empty mount namespace, and chroot into the detached root: cheapest.
  own,    ///< One of its own, with pivot_root: for payloads that mount.
};

struct Namespaces {
  MountNamespace mount = MountNamespace::empty;
  Network network = Network::isolated();
  std::optional<UserNamespace> user = {};
  unsafe::Shared shared = unsafe::Shared::none;  ///< Own pid, ipc, uts and cgroup otherwise.
  friend bool operator==(const Namespaces&, const Namespaces&) = default;
};

/// Who the payload runs as; ids are those inside the container. All capability sets are empty but
/// for the named ones; no_new_privs is always set.
struct Identity {
  uid_t uid = 65534;
  gid_t gid = 65534;
  std::vector<gid_t> groups = {};  ///< Supplementary. Refused by a Host without root.
  std::vector<unsafe::Capability> capabilities = {};
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// A pseudo-terminal of the container's own; the master is Container::terminal().
struct Terminal {
  std::uint16_t rows = 24;
  std::uint16_t columns = 80;
  friend bool operator==(const Terminal&, const Terminal&) = default;
};

/// Descriptors 0, 1 and 2 of the payload, borrowed for the length of create(). Empty means
/// /dev/null. With a terminal, all three are the terminal.
struct Stdio {
  FdRef in = {};
  FdRef out = {};
  FdRef err = {};
  std::optional<Terminal> terminal = {};
  friend bool operator==(const Stdio&, const Stdio&) = default;
};

/// A further descriptor for the payload. The first becomes 3, the next 4, and so on; their names
/// are in the variable SOCK_FDS, separated by colons.
struct NamedFd {
  std::string name;  ///< [a-zA-Z0-9_-], at most 32 bytes, each once.
  FdRef fd;
  friend bool operator==(const NamedFd&, const NamedFd&) = default;
};

enum class Init : std::uint8_t {
  reaper,  ///< A tiny static program is pid 1: reaps orphans, forwards signals, ends with the Host.
  /// As reaper, but the container outlives its payload, until it is killed: for one that is used
  /// through exec(). Nothing is known of the payload's end.
  keeper,
  none,  ///< The payload itself is pid 1, and must be written for it. Saves one exec.
};

/// Everything needed to start a container. Plain data: copy it, compare it, keep it. Nothing is
/// read after create() has returned.
struct ContainerSpec {
  std::string name;  ///< Unique on its Host: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 64.
  Rootfs rootfs;
  std::vector<std::string> argv;  ///< argv[0] is an absolute path, or looked up in PATH of `env`.
  std::vector<std::string> env = {};  ///< "NAME=value"; the caller's environment is not inherited.
  std::string cwd = "/";
  std::string hostname = "sock";
  Identity identity = {};
  Namespaces namespaces = {};
  Resources resources = {};
  std::vector<Rlimit> rlimits = {};           ///< core is 0 unless named here.
  std::optional<SeccompPolicy> seccomp = {};  ///< Empty: SeccompPolicy::handler().
  Stdio stdio = {};
  std::vector<NamedFd> fds = {};
  Init init = Init::reaper;
  /// The container is killed this long after its start, by its init; with Init::none, by whoever
  /// waits for it.
  std::optional<std::chrono::milliseconds> time_limit = {};
  /// Container::checkpoint() will be called, which needs mount and network namespaces of the
  /// container's own (isolated: with a loopback that is down): it gets them, for 0.5 ms. Refused
  /// with what a snapshot cannot hold: other networks, user namespaces, terminals, shared
  /// namespaces, cap_sys_admin, cap_checkpoint_restore, and for a Host without root or without
  /// cgroups.
  bool checkpointable = false;
};

/// A further process for a running container: Container::exec(). It gets the container's
/// namespaces, root, cgroup, filter and no_new_privs.
struct ExecSpec {
  std::vector<std::string> argv;
  std::vector<std::string> env = {};
  std::string cwd = "/";
  Identity identity = {};
  Stdio stdio = {};
  std::vector<NamedFd> fds = {};
};

}  // namespace sock
