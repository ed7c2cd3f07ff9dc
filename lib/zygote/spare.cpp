// The message that a spare finds on its channel when it is forked.

#include "zygote/spare.hpp"

#include <array>

#include "base/try.hpp"
#include "container/groups_to_join.hpp"
#include "wire/message.hpp"

namespace sock::zygote {

Result<isolation::Cgroup> take_waiting_groups(isolation::CgroupPool& pool) {
  // A child writes 2 to 3 MiB before it knows its work.
  constexpr std::uint64_t memory_max = std::uint64_t{32} << 20U;
  constexpr std::uint32_t pids_max = 8;
  auto taken = pool.take({.memory_max = memory_max, .pids_max = pids_max});
  // A machine that cannot limit memory does not limit the container's either.
  return taken || taken.error().code != Errc::unsupported ? std::move(taken) : pool.take({});
}

Result<> send_waiting_groups(const Peer& child, isolation::Cgroup& cgroup) {
  const auto groups = SOCK_TRY(container::open_groups(cgroup));
  // A hostile package sees the message and may keep what came with it.
  cgroup.expose();
  const std::vector<FdRef> files(groups.fds.begin(), groups.fds.end());
  std::array<std::byte, 16> memory;
  return child.send(wire::Writer{memory, wire::Kind::wait}.message(), files);
}

}  // namespace sock::zygote
