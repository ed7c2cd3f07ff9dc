// Choice of the backend.

#include "isolation/cgroup/backend.hpp"

#include <algorithm>
#include <array>

#include "base/try.hpp"

namespace sock {

std::string_view to_string(CgroupBackend backend) noexcept {
  constexpr std::array<std::string_view, 5> names{"automatic", "v2", "v1", "hybrid", "none"};
  return names[static_cast<std::size_t>(backend)];
}

}  // namespace sock

namespace sock::isolation {
namespace {

constexpr std::array all_controllers{Controller::memory, Controller::cpu, Controller::cpuacct,
                                     Controller::pids, Controller::freezer};
constexpr const char* delegation_hint =
    "run under a delegated cgroup (systemd-run --user --scope -p Delegate=yes), or name one in "
    "cgroup.parent";

bool mounts(const Hierarchy& hierarchy, Controller controller) {
  const auto& names = hierarchy.controllers;
  return std::find(names.begin(), names.end(), to_string(controller)) != names.end();
}

bool limits(const Branch& branch) {
  return branch.has(Controller::memory) || branch.has(Controller::cpu) ||
         branch.has(Controller::pids);
}

Branch v2_branch(const Hierarchy& hierarchy) {
  Branch branch{.version = CgroupVersion::v2, .parent = hierarchy.directory, .controllers = {}};
  for (const Controller controller : {Controller::memory, Controller::cpu, Controller::pids})
    if (mounts(hierarchy, controller)) branch.controllers.push_back(controller);
  // KERNEL: every v2 group has cpu.stat (4.15) and cgroup.freeze (5.2), with any controllers.
  branch.controllers.push_back(Controller::cpuacct);
  branch.controllers.push_back(Controller::freezer);
  return branch;
}

/// Branches for what `choice` does not have yet.
void add_v1_branches(BackendChoice& choice, const Layout& layout) {
  for (const Hierarchy& hierarchy : layout.v1) {
    if (!hierarchy.writable) continue;
    Branch branch{.version = CgroupVersion::v1, .parent = hierarchy.directory, .controllers = {}};
    for (const Controller controller : all_controllers)
      if (mounts(hierarchy, controller) && !choice.find(controller))
        branch.controllers.push_back(controller);
    if (!branch.controllers.empty()) choice.branches.push_back(std::move(branch));
  }
  // The freezer leads where there is no v2: a process that is being started must be reachable there
  // first. stable: the others keep the machine's order.
  std::stable_partition(choice.branches.begin(), choice.branches.end(), [](const Branch& branch) {
    return branch.version == CgroupVersion::v2 || branch.has(Controller::freezer);
  });
}

BackendChoice candidate(const Layout& layout, CgroupBackend backend) {
  BackendChoice choice{.backend = backend};
  if (backend != CgroupBackend::v1 && layout.v2 && layout.v2->writable)
    choice.branches.push_back(v2_branch(*layout.v2));
  if (backend != CgroupBackend::v2) add_v1_branches(choice, layout);
  return choice;
}

bool is_usable(const BackendChoice& choice) {
  const auto limits_by_v1 = [](const Branch& branch) {
    return branch.version == CgroupVersion::v1 && limits(branch);
  };
  const auto& branches = choice.branches;
  const bool has_v2 = !branches.empty() && branches.front().version == CgroupVersion::v2;
  const bool has_v1 = std::any_of(branches.begin(), branches.end(), limits_by_v1);
  return (has_v2 || choice.backend == CgroupBackend::v1) &&
         (has_v1 || choice.backend == CgroupBackend::v2);
}

std::unexpected<Error> refuse_backend(const Layout& layout, CgroupBackend asked) {
  Layout permitted = layout;
  if (permitted.v2) permitted.v2->writable = true;
  for (Hierarchy& hierarchy : permitted.v1) hierarchy.writable = true;
  std::string subject = "cgroup backend " + std::string{to_string(asked)};
  if (is_usable(candidate(permitted, asked)))
    return base::refuse(Errc::denied, Stage::cgroup, std::move(subject), delegation_hint);
  return base::refuse(Errc::unsupported, Stage::cgroup, std::move(subject),
                      "this machine does not mount it; CgroupBackend::automatic takes what is "
                      "there");
}

}  // namespace

std::string_view to_string(Controller controller) noexcept {
  switch (controller) {
    case Controller::memory:
      return "memory";
    case Controller::cpu:
      return "cpu";
    case Controller::cpuacct:
      return "cpuacct";
    case Controller::pids:
      return "pids";
    case Controller::freezer:
      return "freezer";
  }
  return "unknown";
}

bool Branch::has(Controller controller) const noexcept {
  return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

std::optional<std::size_t> BackendChoice::find(Controller controller) const noexcept {
  for (std::size_t i = 0; i < branches.size(); ++i)
    if (branches[i].has(controller)) return i;
  return {};
}

Result<BackendChoice> choose_backend(const Layout& layout, CgroupBackend asked) {
  if (asked == CgroupBackend::none) return BackendChoice{};
  if (asked != CgroupBackend::automatic) {
    BackendChoice choice = candidate(layout, asked);
    if (!is_usable(choice)) return refuse_backend(layout, asked);
    return choice;
  }
  for (const CgroupBackend backend :
       {CgroupBackend::hybrid, CgroupBackend::v2, CgroupBackend::v1}) {
    BackendChoice choice = candidate(layout, backend);
    if (is_usable(choice)) return choice;
  }
  return BackendChoice{};
}

}  // namespace sock::isolation
