// Making a Host's directory, and v2's controllers.

#include "isolation/cgroup/instance_directory.hpp"

#include <cerrno>
#include <string_view>

#include "base/try.hpp"
#include "sys/file.hpp"

namespace sock::isolation {
namespace {

bool lists(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t end = names.find_first_of(" \n");
    if (names.substr(0, end) == name) return true;
    if (end == names.npos) break;
    names.remove_prefix(end + 1);
  }
  return false;
}

/// Enables the branch's controllers for the children of a group.
Result<> enable_controllers(FdRef group, const Branch& branch, const std::string& path) {
  const std::string enabled = SOCK_TRY(sys::read_file(group, "cgroup.subtree_control"));
  std::string missing;
  for (const Controller controller : {Controller::memory, Controller::cpu, Controller::pids})
    if (branch.has(controller) && !lists(enabled, to_string(controller)))
      missing.append(missing.empty() ? "+" : " +").append(to_string(controller));
  if (missing.empty()) return {};
  auto written = sys::write_at(group, "cgroup.subtree_control", missing);
  if (written) return {};
  Error error = std::move(written).error();
  error.subject = path + "/cgroup.subtree_control " + missing;
  if (error.sys_errno == EBUSY) {
    error.code = Errc::denied;
    error.hint =
        "a cgroup with processes of its own cannot have controllers below: run the program with "
        "systemd-run --user --scope -p Delegate=yes and move it to a child cgroup, or name an "
        "empty delegated cgroup in cgroup.parent";
  }
  return std::unexpected(std::move(error));
}

Result<UniqueFd> make(const Branch& branch, const std::string& name) {
  const UniqueFd parent = SOCK_TRY(sys::open(sys::cwd, branch.parent, O_RDONLY | O_DIRECTORY));
  const std::string path = branch.parent + "/" + name;
  if (branch.version == CgroupVersion::v2)
    SOCK_TRY(enable_controllers(parent, branch, branch.parent));
  auto made = sys::make_dir(parent, name, 0755);
  if (!made) {
    Error error = std::move(made).error();
    error.subject = path;
    return std::unexpected(std::move(error));
  }
  UniqueFd directory = SOCK_TRY(sys::open(parent, name, O_RDONLY | O_DIRECTORY));
  if (branch.version == CgroupVersion::v2) SOCK_TRY(enable_controllers(directory, branch, path));
  return directory;
}

}  // namespace

Result<UniqueFd> make_instance_directory(const Branch& branch, const std::string& name) {
  return base::in_stage(Stage::cgroup, make(branch, name));
}

}  // namespace sock::isolation
