// The parts of a container (cgroup, root, network) are made as for any other one; CRIU then makes
// its processes in them, as children of ours.

#include "checkpoint/restore.hpp"

#include <algorithm>
#include <map>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "checkpoint/criu_worker.hpp"
#include "checkpoint/external_names.hpp"
#include "checkpoint/page_file.hpp"
#include "checkpoint/restored_images.hpp"
#include "checkpoint/snapshot_store_impl.hpp"
#include "checkpoint/stitched_mounts.hpp"
#include "checkpoint/strays.hpp"
#include "container/checked_spec.hpp"
#include "container/groups_to_join.hpp"
#include "container/stage_clock.hpp"
#include "isolation/namespaces.hpp"
#include "isolation/rootfs/stitcher.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/mount.hpp"
#include "sys/spawn.hpp"

namespace sock::checkpoint {
namespace {

using container::Launched;
using container::StageClock;
using container::Workshop;

constexpr const char* table = "/tmp";  // In CRIU's own view: where it finds the parts of the root.
constexpr const char* work_name = "work";

/// What a container is put together from, each part the owner of its descriptors.
struct Parts {
  isolation::Cgroup cgroup;
  container::GroupsToJoin groups;
  isolation::StitchedRoot root;
  std::vector<StitchedMount> mounts;
  UniqueFd network;
  sys::Pipe init_report;  ///< Empty without an init.
  struct PageFile {
    std::string key;
    UniqueFd file;
  };
  std::vector<PageFile> page_files;  ///< What memory is mapped from.
  std::optional<UserChange> change;  ///< Where it is another user's than its snapshot.
};

Result<std::vector<Parts::PageFile>> open_page_files(const SnapshotInUse::Impl& snapshot) {
  std::vector<Parts::PageFile> files;
  for (const auto& [name, bytes, digest] : snapshot.manifest.files) {
    if (!is_page_file(name)) continue;
    if (files.size() == most_page_files)
      return base::refuse(Errc::corrupt, Stage::none, "snapshot", "too many files of pages");
    auto file = SOCK_TRY(sys::open_beneath(snapshot.images, name, O_RDONLY | O_NOFOLLOW));
    files.push_back({.key = key_of_page_file(name), .file = std::move(file)});
  }
  return files;
}

Result<std::vector<Launched::PageFile>> identify(const std::vector<Parts::PageFile>& page_files) {
  std::vector<Launched::PageFile> files;
  for (const auto& each : page_files) {
    const auto inode = SOCK_TRY(sys::inode(each.file));
    files.push_back({.device = inode.device, .inode = inode.number});
  }
  return files;
}

// New ones instead of those of the tree: where something is mounted below one, its place is part of
// what was saved.
Result<> refill(Parts& parts, const SnapshotInUse::Impl& snapshot, const Rootfs& rootfs,
                sys::Deadline until) {
  const auto& saved = snapshot.manifest.scratch;
  for (std::size_t number = 0; number < saved.size(); ++number) {
    const auto part = std::ranges::find(parts.mounts, saved[number].place, &StitchedMount::place);
    const auto tmpfs = std::ranges::find(rootfs.tmpfs, saved[number].place, &Tmpfs::target);
    if (part == parts.mounts.end() || tmpfs == rootfs.tmpfs.end())
      return base::refuse(Errc::corrupt, Stage::rootfs, saved[number].place, "it is no tmpfs");
    part->mount = SOCK_TRY(base::in_stage(Stage::rootfs, isolation::make_tmpfs(*tmpfs)));
    SOCK_TRY(base::in_stage(Stage::rootfs, fill_scratch(snapshot.scratch, number, part->mount,
                                                        parts.groups, parts.change, until)));
  }
  return {};
}

Result<Parts> make_parts(Workshop& workshop, const SnapshotInUse::Impl& snapshot,
                         const ContainerSpec& spec, const container::CheckedSpec& checked,
                         sys::Deadline until, StageClock& clock) {
  Parts parts;
  parts.change = change_of_user(snapshot.manifest.spec.identity, spec.identity);
  container::Realm& realm = *SOCK_TRY(workshop.realms.find_or_make(spec.identity));
  clock.mark(Stage::validate);
  parts.cgroup = SOCK_TRY(workshop.cgroups->take(spec.resources));
  clock.mark(Stage::cgroup);
  parts.root = SOCK_TRY(realm.make_root(checked.rootfs, std::nullopt, spec.identity, {},
                                        container::own_files(spec, workshop)));
  parts.mounts = SOCK_TRY(take_apart(parts.root.tree, snapshot.manifest.mounts));
  parts.groups = SOCK_TRY(container::open_groups(parts.cgroup));
  SOCK_TRY(refill(parts, snapshot, checked.rootfs, until));
  const auto loopback = spec.namespaces.network.kind() == Network::Kind::loopback
                            ? isolation::Loopback::up
                            : isolation::Loopback::down;
  parts.network = SOCK_TRY(isolation::make_network_namespace(loopback));
  parts.page_files = SOCK_TRY(base::in_stage(Stage::rootfs, open_page_files(snapshot)));
  if (spec.init != Init::none)
    parts.init_report = SOCK_TRY(base::in_stage(Stage::state, sys::make_pipe()));
  clock.mark(Stage::rootfs);
  return parts;
}

FdRef descriptor_for(const std::string& role, const ContainerSpec& spec, const Workshop& workshop,
                     const Parts& parts) {
  if (role == container::life_line_role) return workshop.life_line.reader;
  if (role == container::init_report_role) return parts.init_report.writer;
  return container::descriptor_for(spec, role);
}

/// What CRIU inherits, and under which numbers: stdio and its socket are below.
struct Inheritance {
  std::vector<sys::WorkerSpec::Passed> descriptors;
  std::vector<RestoreRequest::Inherited> names;

  void add(const std::string& key, FdRef file) {
    if (std::ranges::find(names, key, &RestoreRequest::Inherited::key) != names.end()) return;
    constexpr int first_number = 4;
    const int number = first_number + static_cast<int>(names.size());
    descriptors.push_back({.from = file, .as = number});
    names.push_back({.key = key, .fd = number});
  }
};

Inheritance inheritance(const Manifest& manifest, const ContainerSpec& spec,
                        const Workshop& workshop, const Parts& parts) {
  Inheritance all;
  all.add(network_key, parts.network);
  for (const auto& [role, key] : manifest.lent)
    all.add(key, descriptor_for(role, spec, workshop, parts));
  for (const auto& [key, file] : parts.page_files) all.add(key, file);
  return all;
}

Result<> attach_at(UniqueFd filesystem, const std::string& place) {
  const auto target = SOCK_TRY(sys::open_literally(sys::cwd, place, O_PATH | O_DIRECTORY));
  return sys::attach_mount(filesystem, target);
}

// CRIU makes files in the container by paths that start from the machine's root (those that were
// deleted while they are open, as "ghosts"), and on the way there may be a link that the payload
// has left. The dump refuses those (deleted_files.hpp); and nothing of the machine can be written
// to from here on. What CRIU does need is its own: /proc, where it sets the host name, and /tmp.
Result<> close_the_machine() {
  const auto root = SOCK_TRY(sys::open(sys::cwd, "/", O_PATH | O_DIRECTORY));
  SOCK_TRY(sys::restrict_mount(root, sys::MountFlags::read_only, sys::Depth::recursive));
  constexpr auto flags =
      sys::MountFlags::no_suid | sys::MountFlags::no_devices | sys::MountFlags::no_exec;
  auto proc = SOCK_TRY(sys::make_filesystem("proc", {}, flags));
  SOCK_TRY(attach_at(std::move(proc), "/proc"));
  auto scratch = SOCK_TRY(sys::make_filesystem("tmpfs", {{"mode", "0700"}, {"size", "1m"}}, flags));
  return attach_at(std::move(scratch), table);
}

// In the process that becomes CRIU: everything that it makes is then in the container's groups, and
// finds the parts of the root without anybody else seeing them.
Result<> enter_restore(const Parts& parts) {
  SOCK_TRY(container::join(parts.groups));
  SOCK_TRY(sys::leave_namespaces(CLONE_NEWNS | CLONE_NEWCGROUP));
  SOCK_TRY(close_the_machine());
  return lay_out(parts.mounts, table);
}

RestoreRequest make_request(FdRef images, FdRef work, const Parts& parts,
                            const Inheritance& inherited) {
  RestoreRequest request{.images = images,
                         .work = work,
                         .root = path_of(table, 0),
                         .external = {},
                         .inherited = inherited.names};
  for (std::size_t number = 0; number < parts.mounts.size(); ++number)
    request.external.push_back(external_mount(parts.mounts[number].place, path_of(table, number)));
  return request;
}

std::unexpected<Error> refusal_of(const Result<Response>& response, FdRef work,
                                  const ContainerSpec& spec) {
  // Anything else than silence was before CRIU was asked.
  if (!response.has_value() && response.error().code != Errc::timed_out &&
      response.error().code != Errc::closed)
    return std::unexpected(response.error());
  const bool timed_out = !response.has_value() && response.error().code == Errc::timed_out;
  std::string hint = words_of_criu(work, response);
  if (timed_out) hint += " (it did not end in time, and was killed)";
  if (!response.has_value() && !timed_out)
    hint += " (it died; a memory limit below what a restore needs does this)";
  return base::refuse(timed_out ? Errc::timed_out : Errc::launch_failed, Stage::restore, spec.name,
                      std::move(hint));
}

Result<Response> run_criu(const std::string& program, FdRef images, const Parts& parts,
                          const Inheritance& inherited, FdRef work, sys::Deadline deadline) {
  auto worker =
      SOCK_TRY(CriuWorker::start(program, {.descriptors = inherited.descriptors,
                                           .prepare = [&] { return enter_restore(parts); }}));
  const auto request = make_request(images, work, parts, inherited);
  return worker.ask(pack(request), deadline);
}

Result<sys::Spawned> make_processes(Parts& parts, const SnapshotInUse::Impl& snapshot,
                                    const ContainerSpec& spec, const Workshop& workshop,
                                    sys::Deadline deadline) {
  const auto program = SOCK_TRY(find_criu(workshop.criu));
  const auto staging = SOCK_TRY(store::Staging::create(*snapshot.directory));
  const auto work = SOCK_TRY(staging.make_dir(work_name));
  UniqueFd changed;
  if (parts.change) changed = SOCK_TRY(images_for(*parts.change, snapshot.images, staging));
  const FdRef images = parts.change ? FdRef{changed} : FdRef{snapshot.images};
  const auto inherited = inheritance(snapshot.manifest, spec, workshop, parts);
  auto strays = SOCK_TRY(Strays::watch(parts.cgroup, parts.groups));
  const auto response = run_criu(program, images, parts, inherited, work, deadline);
  if (!response.has_value() || !response->success) return refusal_of(response, work, spec);
  // Our child, which nobody has reaped yet.
  auto pidfd = SOCK_TRY(sys::open_pidfd(response->pid));
  strays.release();
  return sys::Spawned{.pidfd = std::move(pidfd), .pid = response->pid};
}

// CRIU opens anew what it inherits, as it was opened when the snapshot was written: that gives the
// same for pipes alone. Two parts that were one pipe become one again.
Result<> require_fitting(const Manifest& manifest, const ContainerSpec& spec) {
  std::map<std::string, std::uint64_t> given;
  for (const auto& [role, key] : manifest.lent) {
    if (role == container::life_line_role || role == container::init_report_role) continue;
    const auto refuse = [&](std::string why) {
      return base::refuse(Errc::invalid_spec, Stage::validate, "descriptor " + role,
                          std::move(why));
    };
    const FdRef file = container::descriptor_for(spec, role);
    if (!file) return refuse("the container has a pipe there: give it another");
    const auto inode = SOCK_TRY(base::in_stage(Stage::validate, sys::inode(file)));
    if (!S_ISFIFO(inode.mode)) return refuse("the container has a pipe there: give it a pipe");
    if (given.emplace(key, inode.number).first->second != inode.number)
      return refuse("the container has one pipe for it and another part: give it one for both");
  }
  return {};
}

}  // namespace

ContainerSpec spec_to_restore(const SnapshotInUse::Impl& snapshot, const RestoreOptions& options) {
  ContainerSpec spec = snapshot.manifest.spec;
  spec.name = options.name;
  if (options.resources) spec.resources = *options.resources;
  if (options.user) {
    spec.identity.uid = options.user->uid;
    spec.identity.gid = options.user->gid;
    spec.identity.groups = options.user->groups;
  }
  spec.stdio = options.stdio;
  spec.fds = options.fds;
  return spec;
}

Result<Launched> restore(Workshop& workshop, const SnapshotInUse::Impl& snapshot,
                         const ContainerSpec& spec, std::chrono::milliseconds deadline) {
  StageClock clock;
  const auto until = sys::deadline_in(deadline);
  const Manifest& manifest = snapshot.manifest;
  if (manifest.zygote)
    return base::refuse(Errc::invalid_spec, Stage::validate, "snapshot " + snapshot.snapshot.name,
                        "it is a zygote's: Host::open_domain() makes a domain of it");
  const container::CheckedSpec checked = SOCK_TRY(container::check(spec));
  SOCK_TRY(container::refuse_what_no_snapshot_holds(spec, workshop));
  SOCK_TRY(require_fitting(manifest, spec));
  const auto here = SOCK_TRY(base::in_stage(Stage::validate, this_machine()));
  SOCK_TRY(require_compatible(manifest.machine, here));
  Parts parts = SOCK_TRY(make_parts(workshop, snapshot, spec, checked, until, clock));
  auto lent = SOCK_TRY(base::in_stage(
      Stage::state, container::identify_lent(spec, workshop, parts.init_report.writer)));
  auto page_files = SOCK_TRY(base::in_stage(Stage::rootfs, identify(parts.page_files)));
  sys::Spawned spawned = SOCK_TRY(
      base::in_stage(Stage::restore, make_processes(parts, snapshot, spec, workshop, until)));
  clock.mark(Stage::restore);
  return Launched{.pidfd = std::move(spawned.pidfd),
                  .pid = spawned.pid,
                  .parent = container::Parent::host,
                  .origin = Origin::restored,
                  .cgroup = std::move(parts.cgroup),
                  .root = std::move(parts.root.tree).take_root(),
                  .own_mount_namespace = true,
                  .terminal = {},
                  .init_report = std::move(parts.init_report.reader),
                  .timings = clock.take(),
                  .lent = std::move(lent),
                  .page_files = std::move(page_files)};
}

}  // namespace sock::checkpoint
