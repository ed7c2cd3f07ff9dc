// Waiting on cgroup.events.

#include "isolation/cgroup/events.hpp"

#include <algorithm>
#include <chrono>

#include "base/try.hpp"
#include "isolation/cgroup/flat_keyed.hpp"
#include "sys/kernfs.hpp"

namespace sock::isolation {

Result<bool> event_holds(FdRef events, std::string_view key, std::uint64_t value) {
  const std::string record = SOCK_TRY(sys::read_record(events));
  return find_value(record, key) == value;
}

Result<bool> wait_event(FdRef events, std::string_view key, std::uint64_t value,
                        sys::Deadline deadline) {
  using std::chrono::steady_clock;
  const auto holds = [&] { return event_holds(events, key, value); };
  if (SOCK_TRY(holds())) return true;
  const auto spin_end = std::min(deadline, steady_clock::now() + std::chrono::microseconds{50});
  while (steady_clock::now() < spin_end)
    if (SOCK_TRY(holds())) return true;
  for (;;) {
    // The read above made the descriptor wait for the next change: none can be missed.
    const bool changed = SOCK_TRY(sys::wait_changed(events, deadline));
    if (SOCK_TRY(holds())) return true;
    if (!changed) return false;
  }
}

}  // namespace sock::isolation
