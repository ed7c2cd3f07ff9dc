#pragma once

// Who the payload runs as, in the form of a plan: shared by create and exec.

#include "sock/spec.hpp"

#include "base/try.hpp"
#include "child/plan.hpp"
#include "container/realm.hpp"
#include "container/workshop.hpp"
#include "isolation/process_limits.hpp"

namespace sock::container {

/// Groups that would not be set must not be asked for: a file that one of them may read would stay
/// closed to the payload, without a word.
inline Result<> refuse_groups_without_root(const Identity& identity, const Workshop& workshop) {
  if (identity.groups.empty() || !workshop.realms.rootless()) return {};
  return base::refuse(Errc::unsupported, Stage::validate, "groups",
                      "a Host without root runs payloads in a user namespace that cannot set "
                      "groups; leave the list empty");
}

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
