#pragma once

// Whose a restored container is, where that is not the user of its snapshot. Pure.

#include <optional>
#include <vector>

#include <sys/types.h>

#include "sock/spec.hpp"

namespace sock::checkpoint {

/// What was the earlier user's or the earlier group's becomes the new one's; other ids stay.
struct UserChange {
  uid_t earlier_uid;
  gid_t earlier_gid;
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;  ///< Supplementary, of the user's processes.

  [[nodiscard]] uid_t user(uid_t before) const { return before == earlier_uid ? uid : before; }
  [[nodiscard]] gid_t group(gid_t before) const { return before == earlier_gid ? gid : before; }
};

/// Nothing where they are the same.
inline std::optional<UserChange> change_of_user(const Identity& before, const Identity& after) {
  if (before.uid == after.uid && before.gid == after.gid && before.groups == after.groups)
    return std::nullopt;
  return UserChange{.earlier_uid = before.uid,
                    .earlier_gid = before.gid,
                    .uid = after.uid,
                    .gid = after.gid,
                    .groups = after.groups};
}

}  // namespace sock::checkpoint
