// Telling children by the group that they are in.

#include "checkpoint/strays.hpp"

#include <chrono>
#include <utility>

#include "base/try.hpp"
#include "sys/children.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

/// The last two components of a group's path, by one of its files.
Result<std::string> name_of(const container::GroupsToJoin& groups) {
  const auto path =
      SOCK_TRY(sys::read_symlink(sys::cwd, "/proc/self/fd/" + std::to_string(groups.fds.front())));
  const auto group = path.rfind('/');
  const auto above = path.rfind('/', path.rfind('/', group - 1) - 1);
  return path.substr(above, group - above);
}

}  // namespace

Result<Strays> Strays::watch(isolation::Cgroup& cgroup, const container::GroupsToJoin& groups) {
  auto group = SOCK_TRY(name_of(groups));
  return Strays{cgroup, std::move(group)};
}

Strays::Strays(Strays&& other) noexcept
    : cgroup_{std::exchange(other.cgroup_, nullptr)}, group_{std::move(other.group_)} {}

Strays::~Strays() {
  if (cgroup_ == nullptr) return;
  constexpr auto patience = std::chrono::seconds{5};
  static_cast<void>(cgroup_->kill_all(std::chrono::steady_clock::now() + patience).has_value());
  const auto children = sys::children_of_this_thread();
  if (!children.has_value()) return;
  for (const pid_t child : *children)
    if (is_in_group(child)) sys::end_child(child);
}

// KERNEL: a zombie is still in its group on v2, and so on hybrid machines, but not on v1.
bool Strays::is_in_group(pid_t child) const {
  const auto groups = sys::read_file(sys::cwd, "/proc/" + std::to_string(child) + "/cgroup");
  return groups.has_value() && groups->contains(group_ + "\n");
}

}  // namespace sock::checkpoint
