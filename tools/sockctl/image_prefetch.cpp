// sockctl image prefetch: recording, listing, and bringing into memory.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "foreground.hpp"
#include "image_store.hpp"
#include "image_verbs.hpp"
#include "json_values.hpp"
#include "launch.hpp"
#include "listing.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "state_dir.hpp"

namespace sockctl {
namespace {

constexpr sock::FdRef out{1};

std::string command_text(const std::vector<std::string>& command) {
  std::string text;
  for (const auto& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

nlohmann::json to_json(const sock::PrefetchSummary& summary) {
  return {{"command", summary.command},
          {"files", summary.files},
          {"ranges", summary.ranges},
          {"bytes", summary.bytes}};
}

Result<> show(Format format, const std::vector<sock::PrefetchSummary>& lists) {
  auto objects = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& list : lists) {
    objects.push_back(to_json(list));
    rows.push_back(
        {std::to_string(list.files), human_size(list.bytes), command_text(list.command)});
  }
  constexpr auto right = Column::Align::right;
  return print_list(format, objects, {{"FILES", right}, {"SIZE", right}, {"COMMAND"}}, rows);
}

// Ended by its time limit is how a recorded server ends.
bool is_recordable(const sock::ExitStatus& status) {
  return status.ok() || status.kind == sock::ExitStatus::Kind::timed_out;
}

Result<int> record(const Globals& globals, Format format, const RunOptions& run, Launch& launch) {
  SOCKCTL_TRY(launch.image->drop_page_cache());
  RunReport report{run};
  const auto status = SOCKCTL_TRY(run_foreground(globals, run, launch.spec, report));
  if (!is_recordable(status)) {
    complain("the command failed, so nothing was recorded");
    return exit_code(status);
  }
  const auto recorded = SOCKCTL_TRY(launch.image->record_prefetch(launch.spec.argv));
  if (format != Format::table) {
    SOCKCTL_TRY(write_all(out, line_of(to_json(recorded)) + "\n"));
    return 0;
  }
  SOCKCTL_TRY(write_all(out, fmt::format("recorded {} files, {}, of: {}\n", recorded.files,
                                         human_size(recorded.bytes),
                                         sock::printable(command_text(recorded.command)))));
  return 0;
}

Result<> bring_in(Format format, const RunOptions& run, const Launch& launch) {
  const auto engine = SOCKCTL_TRY(parse_prefetch(run.prefetch));
  auto prefetch = SOCKCTL_TRY(
      launch.image->prefetch(launch.spec.argv, {.engine = *engine, .even_if_warm = true}));
  if (!prefetch)
    return refuse(Errc::not_found, Stage::rootfs, command_text(launch.spec.argv),
                  "nothing was recorded of it: sockctl image prefetch IMAGE --record -- COMMAND");
  const auto report = SOCKCTL_TRY(prefetch->wait());
  if (format == Format::table) return write_all(out, prefetch_line(report));
  return write_all(out, line_of({{"files", report.files},
                                 {"bytes", report.bytes},
                                 {"failed", report.failed},
                                 {"engine", sock::to_string(report.engine)},
                                 {"microseconds", report.took.count()}}) +
                            "\n");
}

Result<int> act(const Globals& globals, const ImageOptions& options, RunOptions run) {
  const Format format = SOCKCTL_TRY(format_of(globals));
  if (const auto engine = parse_prefetch(run.prefetch); !engine.has_value() || !*engine)
    return refuse_option("--engine", run.prefetch, "one of auto, io_uring, threads");
  if (!uses_image(run))
    return refuse_option("IMAGE", run.image, "the machine's own /usr is in no store");
  if (!options.record && run.command.empty()) {
    const auto directory = SOCKCTL_TRY(image_store_dir(options.store.directory));
    const auto store = SOCKCTL_TRY(open_image_store(directory));
    const auto image = SOCKCTL_TRY(store.use(run.image));
    const auto lists = SOCKCTL_TRY(image.prefetch_lists());
    SOCKCTL_TRY(show(format, lists));
    return 0;
  }
  const Caller caller = current_caller();
  run.name = SOCKCTL_TRY(random_name());
  run.image_store = options.store.directory;
  RunOptions quiet = SOCKCTL_TRY(resolve(run, caller));
  // What is done here is done below, and once.
  quiet.prefetch = "off";
  auto launch = SOCKCTL_TRY(prepare_launch(quiet, caller));
  if (options.record) return record(globals, format, quiet, launch);
  SOCKCTL_TRY(bring_in(format, run, launch));
  return 0;
}

}  // namespace

int image_prefetch(const Globals& globals, const ImageOptions& options, RunOptions run) {
  const auto done = act(globals, options, std::move(run));
  return done.has_value() ? *done : finish(std::unexpected(done.error()));
}

}  // namespace sockctl
