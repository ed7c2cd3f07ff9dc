// The way up from the caller's own group.

#include "isolation/cgroup/place.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <sstream>

#include "sys/file.hpp"
#include "sys/kernfs.hpp"

namespace sock::isolation {
namespace {

bool is_empty(const std::string& file) {
  constexpr std::size_t many_processes = std::size_t{16} << 20U;
  const auto text = sys::read_file(sys::cwd, file, many_processes);
  return text && text->find_first_not_of('\n') == text->npos;
}

/// KERNEL: the root of the hierarchy, which alone has no cgroup.events, may have processes as well.
bool may_have_controllers_below(const std::string& group) {
  if (!sys::status_at(sys::cwd, group + "/cgroup.events")) return true;
  return is_empty(group + "/cgroup.procs");
}

/// One that limits are made with: a hybrid machine keeps what v1 has no use for (hugetlb) on v2.
bool has_controllers(const std::string& group) {
  const auto text = sys::read_file(sys::cwd, group + "/cgroup.controllers");
  if (!text) return false;
  std::istringstream names{*text};
  return std::any_of(std::istream_iterator<std::string>{names}, {}, [](const std::string& name) {
    return name == "memory" || name == "cpu" || name == "pids";
  });
}

}  // namespace

std::string find_place_for_groups(const std::string& own, const std::string& top) {
  for (std::string group = own; group.starts_with(top); group.resize(group.rfind('/'))) {
    if (has_controllers(group) && may_have_controllers_below(group) && sys::is_writable(group))
      return group;
    if (group.size() <= top.size()) break;
  }
  return own;
}

}  // namespace sock::isolation
