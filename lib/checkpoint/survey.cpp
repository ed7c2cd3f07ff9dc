// Asking /proc of a container.

#include "checkpoint/survey.hpp"

#include <algorithm>

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/external_names.hpp"
#include "checkpoint/mount_table.hpp"
#include "checkpoint/open_files.hpp"
#include "isolation/rootfs/layout.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

Result<> refuse_what_cannot_be(const std::vector<OpenFile>& files) {
  for (const auto& file : files)
    if (const auto reason = why_not(file))
      return base::refuse(Errc::unsupported, Stage::checkpoint,
                          "process " + std::to_string(file.pid) + ", descriptor " +
                              std::to_string(file.number) + " (" + file.link + ")",
                          std::string{*reason} + " cannot be in a snapshot");
  return {};
}

// One that nobody has open any more needs no name.
Result<> name_lent(Survey& survey, const std::vector<container::Lent>& lent,
                   const std::vector<OpenFile>& files) {
  for (const auto& each : lent) {
    const auto file = std::ranges::find_if(files, [&](const OpenFile& candidate) {
      return candidate.device == each.device && candidate.inode == each.inode;
    });
    if (file == files.end()) continue;
    if (!file->link.starts_with("pipe:["))
      return base::refuse(Errc::unsupported, Stage::checkpoint, each.role + " (" + file->link + ")",
                          "of what comes from outside only pipes can be replaced later");
    survey.lent.push_back({.role = each.role, .key = file->link});
  }
  return {};
}

Result<> name_mounts(Survey& survey, const Rootfs& rootfs, const std::string& proc) {
  const auto mountinfo = SOCK_TRY(sys::read_file(sys::cwd, proc + "/mountinfo"));
  survey.mounts = SOCK_TRY(places_to_stitch(mountinfo));
  for (const auto& place : survey.mounts) survey.external.push_back(external_mount(place, place));
  const auto checked = SOCK_TRY(isolation::check_rootfs(rootfs));
  for (const auto& tmpfs : checked.tmpfs)
    survey.scratch.push_back({.place = tmpfs.target, .bytes_max = tmpfs.size_max});
  return {};
}

// The mappings themselves lead to their files, also when those have no name any more.
Result<> name_page_files(Survey& survey, std::vector<container::Launched::PageFile> wanted) {
  for (const pid_t pid : survey.processes) {
    if (wanted.empty()) return {};
    const auto mappings = SOCK_TRY(
        sys::open(sys::cwd, "/proc/" + std::to_string(pid) + "/map_files", O_RDONLY | O_DIRECTORY));
    for (const auto& name : SOCK_TRY(sys::list_dir(mappings))) {
      auto file = sys::open(mappings, name, O_PATH);
      if (!file.has_value()) continue;
      const auto inode = SOCK_TRY(sys::inode(*file));
      const auto found = std::ranges::find(
          wanted, container::Launched::PageFile{.device = inode.device, .inode = inode.number});
      if (found == wanted.end()) continue;
      wanted.erase(found);
      auto opened = SOCK_TRY(sys::open(mappings, name, O_RDONLY));
      const auto mount = SOCK_TRY(sys::mount_id(opened));
      survey.external.push_back(external_file(mount, inode.number));
      survey.page_files.push_back({.file = std::move(opened), .name = survey.external.back()});
    }
  }
  return {};
}

}  // namespace

Result<Survey> survey(const Container::Impl& container) {
  const std::string proc = "/proc/" + std::to_string(container.launched.pid);
  Survey survey;
  survey.processes = SOCK_TRY(processes_below(container.launched.pid));
  const auto files = SOCK_TRY(open_files(survey.processes));
  SOCK_TRY(refuse_what_cannot_be(files));
  SOCK_TRY(name_mounts(survey, container.spec.rootfs, proc));
  const auto network = SOCK_TRY(sys::open(sys::cwd, proc + "/ns/net", O_RDONLY));
  const auto inode = SOCK_TRY(sys::inode(network));
  survey.external.push_back(external_network(inode.number));
  SOCK_TRY(name_lent(survey, container.launched.lent, files));
  SOCK_TRY(name_page_files(survey, container.launched.page_files));
  return survey;
}

}  // namespace sock::checkpoint
