// sockctl checkpoint.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "client.hpp"
#include "console.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "snapshot_verbs.hpp"
#include "store_place.hpp"

namespace sockctl {
namespace {

Result<> ask_for_snapshot(const Globals& globals, const SnapshotOptions& options) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto& asked = options.checkpoint;
  const auto entry = SOCKCTL_TRY(open_entry(state, asked.name));
  // The monitor may have been started with another environment.
  const auto store =
      SOCKCTL_TRY(choose_store(snapshot_store_place, options.store, current_caller()));
  constexpr std::chrono::seconds margin{10};
  const auto answer = SOCKCTL_TRY(ask(entry,
                                      {{"verb", "checkpoint"},
                                       {"store", store},
                                       {"snapshot", asked.snapshot},
                                       {"stop", asked.stop}},
                                      checkpoint_time + margin));
  const auto& snapshot = answer["snapshot"];
  if (format != Format::table) return write_all(sock::FdRef{1}, line_of(snapshot) + "\n");
  return write_all(sock::FdRef{1},
                   fmt::format("{}: {} in {} processes\n", asked.snapshot,
                               human_size(snapshot.value("bytes", std::uint64_t{0})),
                               snapshot.value("processes", 0)));
}

}  // namespace

int checkpoint(const Globals& globals, const SnapshotOptions& options) {
  const auto done = ask_for_snapshot(globals, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
