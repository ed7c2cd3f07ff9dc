#pragma once

// Every way to weaken a container's isolation, in one place. A spec can only be weakened by naming
// something in here, so that `git grep sock::unsafe` (or `unsafe::`) lists each exception.

#include <cstdint>
#include <string>
#include <utility>

namespace sock::unsafe {

/// Lets the payload keep one capability, by its kernel name ("cap_net_raw"), in all five sets.
/// Without a user namespace it holds against the host as well.
struct Capability {
  std::string name;
  explicit Capability(std::string capability_name) : name{std::move(capability_name)} {}
  friend bool operator==(const Capability&, const Capability&) = default;
};

/// Namespaces that the container shares with the caller instead of getting its own.
/// Without a pid namespace the container sees, and may signal, every process of its user.
enum class Shared : std::uint8_t { none = 0, pid = 1, ipc = 2, uts = 4, cgroup = 8 };
[[nodiscard]] constexpr Shared operator|(Shared a, Shared b) noexcept {
  return static_cast<Shared>(std::to_underlying(a) | std::to_underlying(b));
}
[[nodiscard]] constexpr bool contains(Shared set, Shared item) noexcept {
  return (std::to_underlying(set) & std::to_underlying(item)) != 0;
}

/// Token for Network::host(): the payload reaches the host's network, loopback services and
/// abstract unix sockets.
struct HostNetwork {
  explicit HostNetwork() = default;
};

/// Tokens for SeccompPolicy::Builder.
struct AllowAllSyscalls {
  explicit AllowAllSyscalls() = default;
};
struct AllowPtrace {
  explicit AllowPtrace() = default;
};
struct AllowNestedUserNamespaces {
  explicit AllowNestedUserNamespaces() = default;
};
struct AllowMount {
  explicit AllowMount() = default;
};
struct AllowIoUring {
  explicit AllowIoUring() = default;
};
/// For single system calls that the base policy refuses.
struct AllowSyscall {
  std::string name;
  explicit AllowSyscall(std::string syscall_name) : name{std::move(syscall_name)} {}
};

}  // namespace sock::unsafe
