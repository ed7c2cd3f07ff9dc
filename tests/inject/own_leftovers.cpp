// One poll() tells of all descriptors at once whether they are open.

#include "own_leftovers.hpp"

#include <algorithm>

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace sock::test {
namespace {

/// By number; empty when it cannot be told.
std::vector<bool> open_descriptors() {
  constexpr rlim_t most = 1024;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  std::vector<pollfd> all(std::min(limit.rlim_cur, most));
  for (std::size_t fd = 0; fd < all.size(); ++fd) all[fd].fd = static_cast<int>(fd);
  if (::poll(all.data(), all.size(), 0) < 0) return {};
  std::vector<bool> open;
  for (const pollfd& one : all) open.push_back((one.revents & POLLNVAL) == 0);
  return open;
}

}  // namespace

OwnLeftovers::OwnLeftovers() : before_{open_descriptors()} {}

std::string OwnLeftovers::find() const {
  std::string found;
  const std::vector<bool> now = open_descriptors();
  for (std::size_t fd = 0; fd < std::min(now.size(), before_.size()); ++fd)
    if (now[fd] && !before_[fd]) found += "descriptor " + std::to_string(fd) + " ";
  siginfo_t child{};
  if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0)
    found += child.si_pid == 0 ? "a child that lives" : "a child that was not reaped";
  return found;
}

}  // namespace sock::test
