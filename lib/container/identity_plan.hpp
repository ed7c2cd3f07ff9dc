#pragma once

// Who the payload runs as, in the form of a plan: shared by create and exec.

#include "sock/spec.hpp"

#include "child/plan.hpp"
#include "container/realm.hpp"
#include "container/workshop.hpp"
#include "isolation/process_limits.hpp"

namespace sock::container {

inline void fill_identity(child::Plan& plan, const Identity& identity,
                          isolation::CapabilitySet capabilities, const Workshop& workshop,
                          const Realm& realm) {
  plan.set_groups = !realm.user_namespace();  // A rootless map has given up setgroups() for good.
  plan.groups = identity.groups.data();
  plan.group_count = static_cast<std::uint32_t>(identity.groups.size());
  plan.uid = identity.uid;
  plan.gid = identity.gid;
  plan.kept_capabilities = capabilities.bits;
  plan.last_capability = workshop.last_capability;
}

}  // namespace sock::container
