// Freezing and thawing.

#include "isolation/cgroup/freezing.hpp"

#include <chrono>

#include "base/try.hpp"
#include "isolation/cgroup/events.hpp"
#include "sys/kernfs.hpp"

namespace sock::isolation {
namespace {

Result<bool> freeze_v2(const Leaf& leaf, sys::Deadline deadline) {
  const FdRef events = SOCK_TRY(leaf.keep("cgroup.events", FileUse::read));
  SOCK_TRY(leaf.write("cgroup.freeze", "1"));
  return wait_event(events, "frozen", 1, deadline);
}

/// KERNEL: the v1 freezer announces nothing; each read of its file looks at the tasks again. A task
/// that was forking when the state was written may be missed and hold everything in FREEZING for
/// ever, so after a few looks all are let go for a moment and frozen anew.
Result<bool> freeze_v1(const Leaf& leaf, sys::Deadline deadline) {
  constexpr int looks_before_retry = 8;  // About 5 ms with the pauses below.
  for (;;) {
    SOCK_TRY(leaf.write("freezer.state", "FROZEN", FileUse::both));
    std::chrono::microseconds pause{20};
    for (int look = 0; look < looks_before_retry; ++look) {
      if (SOCK_TRY(leaf.read("freezer.state", FileUse::both)).starts_with("FROZEN")) return true;
      if (std::chrono::steady_clock::now() >= deadline) return false;
      sys::wait_for(pause);
      pause *= 2;
    }
    SOCK_TRY(leaf.write("freezer.state", "THAWED", FileUse::both));
  }
}

Result<> thaw_unstaged(CgroupVersion version, const Leaf& leaf) {
  if (version == CgroupVersion::v2) return leaf.write("cgroup.freeze", "0");
  return leaf.write("freezer.state", "THAWED", FileUse::both);
}

}  // namespace

Result<> freeze(CgroupVersion version, const Leaf& leaf, sys::Deadline deadline) {
  auto frozen =
      base::in_stage(Stage::pause, version == CgroupVersion::v2 ? freeze_v2(leaf, deadline)
                                                                : freeze_v1(leaf, deadline));
  if (frozen && *frozen) return {};
  // Best effort: what failed first is what the caller must hear of.
  (void)thaw_unstaged(version, leaf);
  if (!frozen) return std::unexpected(std::move(frozen).error());
  return base::refuse(Errc::timed_out, Stage::pause, "freezing",
                      "a process is in a system call that cannot be interrupted");
}

Result<> thaw(CgroupVersion version, const Leaf& leaf) {
  return base::in_stage(Stage::resume, thaw_unstaged(version, leaf));
}

}  // namespace sock::isolation
