#pragma once

// The message that tells a child what to become.

#include <vector>

#include "sock/spec.hpp"

#include "container/checked_spec.hpp"
#include "isolation/cgroup/pool.hpp"
#include "isolation/rootfs/devices.hpp"
#include "zygote/peer.hpp"

namespace sock::zygote {

/// What a container is made of, borrowed.
struct WorkParts {
  const ContainerSpec& spec;
  const std::vector<std::string>& env;  ///< The spec's, and what the Host adds.
  const container::CheckedSpec& checked;
  const SeccompPolicy& policy;
  FdRef root;
  std::span<const int> join_cgroups;
  FdRef landlock;
  std::span<const int> payload;  ///< Descriptors 0, 1, 2, ...; -1: the container's own /dev/null.
  int last_capability;
};

struct WorkMessage {
  std::vector<std::byte> bytes;  ///< Empty: it does not fit.
  std::vector<FdRef> files;
};

/// Pure.
[[nodiscard]] WorkMessage encode_work(const WorkParts& parts);

}  // namespace sock::zygote
