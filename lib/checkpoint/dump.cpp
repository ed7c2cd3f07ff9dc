// Container::checkpoint(): CRIU writes the processes into a directory that nobody sees, which is
// hashed, described and then published in one step.

#include <csignal>
#include <set>

#include <unistd.h>

#include "sock/checkpoint.hpp"

#include "base/try.hpp"
#include "checkpoint/criu_worker.hpp"
#include "checkpoint/external_names.hpp"
#include "checkpoint/mount_table.hpp"
#include "checkpoint/open_files.hpp"
#include "checkpoint/snapshot_store_impl.hpp"
#include "container/checked_spec.hpp"
#include "container/container_impl.hpp"
#include "isolation/rootfs/layout.hpp"
#include "sys/credentials.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock {
namespace checkpoint {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* snapshot_name = "snapshot";  // In staging.

std::unexpected<Error> refuse(Errc code, std::string subject, std::string hint) {
  return base::refuse(code, Stage::checkpoint, std::move(subject), std::move(hint));
}

/// What is known of a container before CRIU has looked at it.
struct Survey {
  std::vector<pid_t> processes;
  std::vector<std::string> mounts;
  std::vector<LentKey> lent;
  std::vector<std::string> external;  ///< In CRIU's words.
};

Result<> refuse_what_cannot_be(const std::vector<OpenFile>& files) {
  for (const auto& file : files)
    if (const auto reason = why_not(file))
      return refuse(Errc::unsupported,
                    "process " + std::to_string(file.pid) + ", descriptor " +
                        std::to_string(file.number) + " (" + file.link + ")",
                    std::string{*reason} + " cannot be in a snapshot");
  return {};
}

// A lent file that nobody has open any more needs no name.
Result<> name_lent(Survey& survey, const std::vector<container::Lent>& lent,
                   const std::vector<OpenFile>& files) {
  std::set<std::string> named;
  for (const auto& each : lent)
    for (const auto& file : files) {
      if (file.device != each.device || file.inode != each.inode) continue;
      const auto mount = SOCK_TRY(mount_of(file));
      const auto external = external_file(file, mount);
      survey.lent.push_back({.role = each.role, .key = external.key});
      if (external.when_dumping && named.insert(*external.when_dumping).second)
        survey.external.push_back(*external.when_dumping);
      break;
    }
  return {};
}

Result<Survey> survey(const Container::Impl& container) {
  const std::string proc = "/proc/" + std::to_string(container.launched.pid);
  Survey survey;
  survey.processes = SOCK_TRY(processes_below(container.launched.pid));
  const auto files = SOCK_TRY(open_files(survey.processes));
  SOCK_TRY(refuse_what_cannot_be(files));
  const auto rootfs = SOCK_TRY(isolation::check_rootfs(container.spec.rootfs));
  const auto mountinfo = SOCK_TRY(sys::read_file(sys::cwd, proc + "/mountinfo"));
  survey.mounts = SOCK_TRY(places_to_stitch(mountinfo, rootfs));
  for (const auto& place : survey.mounts) survey.external.push_back(external_mount(place, place));
  const auto network = SOCK_TRY(sys::open(sys::cwd, proc + "/ns/net", O_RDONLY));
  const auto inode = SOCK_TRY(sys::inode(network));
  survey.external.push_back(external_network(inode.number));
  SOCK_TRY(name_lent(survey, container.launched.lent, files));
  return survey;
}

/// Where CRIU writes to.
struct Places {
  UniqueFd images;
  UniqueFd work;
};

Result<Places> make_places(const store::Staging& staging) {
  const auto snapshot = SOCK_TRY(staging.make_dir(snapshot_name));
  SOCK_TRY(sys::make_dir(snapshot, images_name, 0700));
  Places places;
  places.images = SOCK_TRY(sys::open_beneath(snapshot, images_name, O_RDONLY | O_DIRECTORY));
  places.work = SOCK_TRY(staging.make_dir("work"));
  return places;
}

/// CRIU has answered, or has died without putting the processes back.
struct Dumped {
  Result<Response> response;
  std::string version;
};

// CRIU asks for the limits of each process, which the kernel tells those without CAP_SYS_RESOURCE
// only for processes of their own real user.
Result<> take_real_ids(const Identity& identity) {
  return sys::set_real_ids(identity.uid, identity.gid);
}

Result<Dumped> run_criu(const Container::Impl& container, const Survey& survey,
                        const Places& places, const CheckpointOptions& options) {
  const auto deadline = sys::deadline_in(options.deadline);
  const auto program = SOCK_TRY(find_criu(container.workshop.criu));
  const Identity& identity = container.spec.identity;
  auto worker = SOCK_TRY(CriuWorker::start(
      program, {.descriptors = {}, .prepare = [&] { return take_real_ids(identity); }}));
  const auto version = worker.ask(pack_version_request(), deadline);
  if (!version.has_value())  // It has not touched the container yet.
    return refuse(version.error().code == Errc::timed_out ? Errc::timed_out : Errc::launch_failed,
                  program, "it does not say its version; is it CRIU?");
  auto response =
      worker.ask(pack(DumpRequest{.pid = container.launched.pid,
                                  .images = places.images,
                                  .work = places.work,
                                  .leave_stopped = options.after == CheckpointOptions::After::stop,
                                  .external = survey.external}),
                 deadline);
  return Dumped{.response = std::move(response), .version = version->version};
}

Result<Snapshot> write_down(const SnapshotDirectory& directory, const store::Staging& staging,
                            const Places& places, Manifest manifest, const std::string& name) {
  manifest.files = SOCK_TRY(hash_files(places.images));
  const std::string text = manifest.to_text();
  const std::string inside = std::string{snapshot_name} + "/";
  SOCK_TRY(staging.write(inside + manifest_name, text));
  SOCK_TRY(staging.write(inside + digest_name, store::Digest::of(text).to_string() + "\n"));
  SOCK_TRY(staging.sync());
  SOCK_TRY(publish(directory, staging, snapshot_name, name));
  return describe(manifest, name, text);
}

// Only where the snapshot that they were stopped for could not be written.
void let_run(pid_t first) {
  const auto processes = processes_below(first);
  if (!processes.has_value()) return;
  for (const pid_t pid : *processes)
    if (const auto process = sys::open_pidfd(pid); process.has_value())
      static_cast<void>(sys::send_signal(*process, SIGCONT).has_value());
}

// Holds the container still for CRIU, and no longer.
Result<Dumped> dump_processes(Container::Impl& container, const Places& places,
                              const CheckpointOptions& options, Manifest& manifest) {
  const auto still = SOCK_TRY(container.hold_for_checkpoint());
  auto found = SOCK_TRY(survey(container));
  auto dumped = SOCK_TRY(run_criu(container, found, places, options));
  manifest.created = std::chrono::system_clock::now();
  manifest.processes = found.processes.size();
  manifest.mounts = std::move(found.mounts);
  manifest.lent = std::move(found.lent);
  manifest.criu = dumped.version;
  return dumped;
}

Result<> judge(Container::Impl& container, const Dumped& dumped, FdRef work) {
  if (!dumped.response.has_value()) {
    const Error& why = dumped.response.error();
    SOCK_TRY(container.kill());
    return refuse(why.code == Errc::timed_out ? Errc::timed_out : Errc::launch_failed,
                  container.name,
                  std::string{why.code == Errc::timed_out ? "CRIU took too long" : "CRIU died"} +
                      "; the container was killed, since it may have been left half changed");
  }
  if (dumped.response->success) return {};
  return refuse(Errc::unsupported, container.name, words_of_criu(work, dumped.response));
}

Result<Snapshot> checkpoint(Container::Impl& container, const SnapshotDirectory& directory,
                            const CheckpointOptions& options) {
  if (!container.spec.checkpointable)
    return refuse(Errc::invalid_spec, container.name,
                  "it was not made for this; set ContainerSpec::checkpointable");
  SOCK_TRY(container::check_name(options.name));
  SOCK_TRY(require_free(directory, options.name));
  const auto staging = SOCK_TRY(store::Staging::create(directory));
  const auto places = SOCK_TRY(make_places(staging));
  Manifest manifest{.spec = container.spec, .origins = options.origins};
  manifest.machine = SOCK_TRY(this_machine());
  const auto dumped = SOCK_TRY(dump_processes(container, places, options, manifest));
  SOCK_TRY(judge(container, dumped, places.work));
  auto written = write_down(directory, staging, places, std::move(manifest), options.name);
  if (options.after == CheckpointOptions::After::keep_running) return written;
  if (!written.has_value())
    let_run(container.launched.pid);
  else
    SOCK_TRY(container.kill());
  return written;
}

}  // namespace
}  // namespace checkpoint

Result<Snapshot> Container::checkpoint(SnapshotStore& store, const CheckpointOptions& options) {
  SOCK_TRY(container::require(impl_));
  SOCK_TRY(container::require(store.impl_));
  return base::in_stage(Stage::checkpoint,
                        checkpoint::checkpoint(*impl_, *store.impl_->directory, options));
}

}  // namespace sock
