#pragma once

// What this kernel can do, probed once per Host. Each member is a feature for which a fallback
// exists; its name is also the name in `sockctl check` and HostOptions::without.

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "sock/result.hpp"

namespace sock::isolation {

struct KernelFeatures {
  bool detached_roots = false;     ///< 6.15: a detached mount tree may be mounted on.
  bool landlock_scopes = false;    ///< 6.12, ABI 6: scopes for abstract sockets and signals.
  bool clone3 = false;             ///< 5.3
  bool clone_into_cgroup = false;  ///< 5.7, needs clone3
  bool cgroup_kill = false;        ///< 5.14
  bool proc_from_outside = false;  ///< 6.17: a /proc may be made for another pid namespace.
};

struct Feature {
  std::string_view name;
  bool KernelFeatures::*member;
};
inline constexpr std::array features{
    Feature{"detached_roots", &KernelFeatures::detached_roots},
    Feature{"landlock_scopes", &KernelFeatures::landlock_scopes},
    Feature{"clone3", &KernelFeatures::clone3},
    Feature{"clone_into_cgroup", &KernelFeatures::clone_into_cgroup},
    Feature{"cgroup_kill", &KernelFeatures::cgroup_kill},
    Feature{"proc_from_outside", &KernelFeatures::proc_from_outside},
};

/// Clears the features named in `without`, and those that stand on them. Pure.
/// On failure: Errc::invalid_spec naming the unknown feature.
Result<KernelFeatures> without(KernelFeatures found, std::span<const std::string> names);

/// Probes the running kernel. Starts a child for what the caller may not try itself.
KernelFeatures probe_features();

}  // namespace sock::isolation
