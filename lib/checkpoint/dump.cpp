// Container::checkpoint(): CRIU writes the processes, and we the content of their tmpfs mounts,
// into a directory that nobody sees, which is hashed, described and then published in one step.

#include <fcntl.h>

#include "sock/checkpoint.hpp"

#include "base/try.hpp"
#include "checkpoint/criu_worker.hpp"
#include "checkpoint/deleted_files.hpp"
#include "checkpoint/open_files.hpp"
#include "checkpoint/page_file.hpp"
#include "checkpoint/snapshot_store_impl.hpp"
#include "checkpoint/survey.hpp"
#include "container/container_impl.hpp"
#include "container/groups_to_join.hpp"
#include "sys/credentials.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock {
namespace checkpoint {
namespace {

using After = CheckpointOptions::After;

constexpr const char* snapshot_name = "snapshot";  // In staging.

std::unexpected<Error> refuse(Errc code, std::string subject, std::string hint) {
  return base::refuse(code, Stage::checkpoint, std::move(subject), std::move(hint));
}

/// One checkpoint of one container.
class Dump {
 public:
  static Result<Dump> prepare(Container::Impl& container, const SnapshotDirectory& directory,
                              const CheckpointOptions& options) {
    auto staging = SOCK_TRY(store::Staging::create(directory));
    const auto snapshot = SOCK_TRY(staging.make_dir(snapshot_name));
    Dump dump{container, directory, options, std::move(staging)};
    for (const char* const part : {images_name, scratch_name})
      SOCK_TRY(sys::make_dir(snapshot, part, 0700));
    dump.images_ = SOCK_TRY(sys::open_beneath(snapshot, images_name, O_RDONLY | O_DIRECTORY));
    dump.scratch_ = SOCK_TRY(sys::open_beneath(snapshot, scratch_name, O_RDONLY | O_DIRECTORY));
    dump.work_ = SOCK_TRY(dump.staging_.make_dir("work"));
    dump.manifest_.machine = SOCK_TRY(this_machine());
    return dump;
  }

  Result<Snapshot> run() {
    const auto response = SOCK_TRY(dump_processes());
    // It is there, and so the container has to go, whatever has become of CRIU since.
    if (is_published_ && options_.after == After::stop) {
      SOCK_TRY(container_.kill());
      return describe(manifest_, options_.name, text_);
    }
    if (failure_ && response.has_value()) return std::unexpected(std::move(*failure_));
    SOCK_TRY(judge(response));
    SOCK_TRY(write_down());
    return describe(manifest_, options_.name, text_);
  }

 private:
  Dump(Container::Impl& container, const SnapshotDirectory& directory,
       const CheckpointOptions& options, store::Staging staging)
      : container_{container},
        directory_{directory},
        options_{options},
        staging_{std::move(staging)},
        manifest_{
            .spec = container.spec, .origins = options.origins, .annotation = options.annotation} {}

  // Holds the container still for CRIU, and no longer. The inner result is empty of an answer when
  // CRIU has died, or was ended, without putting the processes back.
  Result<Result<Response>> dump_processes() {
    const auto still = SOCK_TRY(container_.hold_for_checkpoint());
    auto found = SOCK_TRY(survey(container_));
    manifest_.spec.resources = container_.resources;  // As update() has left them.
    manifest_.processes = found.processes.size();
    manifest_.mounts = std::move(found.mounts);
    manifest_.lent = std::move(found.lent);
    page_files_ = std::move(found.page_files);
    return run_criu(found);
  }

  Result<Result<Response>> run_criu(const Survey& found) {
    const auto deadline = sys::deadline_in(options_.deadline);
    // So that there is time to say to CRIU that it is to be undone.
    deadline_ = deadline - options_.deadline / 10;
    const auto program = SOCK_TRY(find_criu(container_.workshop.criu));
    // In a group of the Host's: the janitor ends it with all others. KERNEL: the wish to be killed
    // with the parent is lost when a program is executed with different real and effective ids.
    const auto group = SOCK_TRY(container_.workshop.cgroups->take({.pids_max = {}}));
    const auto groups = SOCK_TRY(container::open_groups(group));
    auto worker = SOCK_TRY(CriuWorker::start(
        program, {.descriptors = {}, .prepare = [&] { return prepare(groups); }}));
    const auto version = worker.ask(pack_version_request(), deadline);
    if (!version.has_value())  // It has not touched the container yet.
      return refuse(version.error().code == Errc::timed_out ? Errc::timed_out : Errc::launch_failed,
                    program, "it does not say its version; is it CRIU?");
    manifest_.criu = version->version;
    return worker.ask(pack(DumpRequest{.pid = container_.launched.pid,
                                       .images = images_,
                                       .work = work_,
                                       .kills = options_.after == After::stop,
                                       .external = found.external}),
                      deadline, [&] { return when_dumped(found); });
  }

  // In the process that becomes CRIU. It asks for the limits of each process, which the kernel
  // tells those without CAP_SYS_RESOURCE only for processes of their own real user.
  Result<> prepare(const container::GroupsToJoin& groups) const {
    SOCK_TRY(container::join(groups));
    return sys::set_real_ids(container_.spec.identity.uid, container_.spec.identity.gid);
  }

  // All processes are stopped; they wait for the rest if they are to be killed. An error makes CRIU
  // let them go on.
  Result<> when_dumped(const Survey& found) {
    manifest_.created = std::chrono::system_clock::now();
    auto done = save(found);
    if (done.has_value() && options_.after == After::stop) done = write_down();
    if (!done.has_value()) failure_ = done.error();
    return done;
  }

  Result<> save(const Survey& found) {
    const auto root =
        SOCK_TRY(sys::open(sys::cwd, "/proc/" + std::to_string(container_.launched.pid) + "/root",
                           O_PATH | O_DIRECTORY));
    const auto processes = SOCK_TRY(processes_below(container_.launched.pid));
    SOCK_TRY(require_safe_ghosts(images_, root, processes, found.scratch, page_files_));
    copy_reasons_ = SOCK_TRY(judge_memory(root));
    manifest_.scratch = SOCK_TRY(save_scratch(root, found.scratch, scratch_));
    return {};
  }

  Result<> judge(const Result<Response>& response) {
    if (response.has_value() && response->success) return {};
    if (response.has_value())
      return refuse(Errc::unsupported, container_.name, words_of_criu(work_, response));
    const bool timed_out = response.error().code == Errc::timed_out;
    SOCK_TRY(container_.kill());
    return refuse(timed_out ? Errc::timed_out : Errc::launch_failed, container_.name,
                  std::string{timed_out ? "CRIU took too long" : "CRIU died"} +
                      "; the container was killed, since it may have been left half changed");
  }

  [[nodiscard]] Result<CopyReasons> judge_memory(FdRef root) const {
    using Memory = CheckpointOptions::Memory;
    if (options_.memory == Memory::copied) return all_copied(images_, "as it was asked for");
    if (options_.memory == Memory::mapped) return none_copied(images_);
    const bool is_noexec = SOCK_TRY(sys::forbids_execution(images_));
    if (is_noexec)
      return all_copied(images_, "memory of its store could never become code (noexec)");
    return why_copied(images_, root, deadline_);
  }

  Result<> write_down() {
    manifest_.memory = SOCK_TRY(write_page_file(images_, copy_reasons_, page_files_, deadline_));
    manifest_.files = SOCK_TRY(hash_files(images_, deadline_));
    text_ = SOCK_TRY(write_manifest(staging_, snapshot_name, manifest_));
    SOCK_TRY(staging_.sync());
    SOCK_TRY(publish(directory_, staging_, snapshot_name, options_.name));
    is_published_ = true;
    return {};
  }

  Container::Impl& container_;
  const SnapshotDirectory& directory_;
  const CheckpointOptions& options_;
  store::Staging staging_;
  UniqueFd images_;
  UniqueFd scratch_;
  UniqueFd work_;                         ///< CRIU's log.
  std::vector<EarlierPages> page_files_;  ///< Of the snapshot that the container came from.
  CopyReasons copy_reasons_;
  sys::Deadline deadline_ = {};
  Manifest manifest_;
  std::string text_;  ///< Of the manifest, once it is written.
  bool is_published_ = false;
  std::optional<Error> failure_;  ///< Ours, for which the dump was undone.
};

Result<Snapshot> checkpoint(Container::Impl& container, const SnapshotDirectory& directory,
                            const CheckpointOptions& options) {
  if (!container.spec.checkpointable)
    return refuse(Errc::invalid_spec, container.name,
                  "it was not made for this; set ContainerSpec::checkpointable");
  SOCK_TRY(require_possible(directory, options));
  auto dump = SOCK_TRY(Dump::prepare(container, directory, options));
  return dump.run();
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
