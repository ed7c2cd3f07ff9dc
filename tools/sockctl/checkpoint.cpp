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
#include "zygote_client.hpp"

namespace sockctl {
namespace {

std::string processes_text(int count) {
  return count == 1 ? "1 process" : fmt::format("{} processes", count);
}

nlohmann::json request_of(const CheckpointVerbOptions& asked, const std::string& store) {
  return {{"verb", "checkpoint"},       {"name", asked.name}, {"store", store},
          {"snapshot", asked.snapshot}, {"stop", asked.stop}, {"memory", asked.memory}};
}

constexpr std::chrono::seconds margin{10};

// The answer of the background Host; `not_a_container` where it holds none of that name either.
Result<nlohmann::json> ask_zygotes_holder(const Globals& globals, const nlohmann::json& request,
                                          const Error& not_a_container) {
  const auto host = SOCKCTL_TRY(find_zygote_host(globals));
  if (!host) return std::unexpected(not_a_container);
  SOCKCTL_TRY(send_message(*host, request));
  auto answer =
      next_zygote_event(*host, std::chrono::steady_clock::now() + checkpoint_time + margin);
  if (!answer.has_value() && answer.error().code == Errc::not_found)
    return std::unexpected(not_a_container);
  // Stopped zygotes may have been the last: then it is about to end.
  if (answer.has_value() && request.value("stop", false)) await_end_of(*host);
  return answer;
}

Result<> ask_for_snapshot(const Globals& globals, const SnapshotOptions& options) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto& asked = options.checkpoint;
  // The monitor, or the background Host, may have been started with another environment.
  const auto store =
      SOCKCTL_TRY(choose_store(snapshot_store_place, options.store, current_caller()));
  const auto request = request_of(asked, store);
  const auto entry = open_entry(state, asked.name);
  const auto answer =
      SOCKCTL_TRY(entry.has_value() ? ask(*entry, request, checkpoint_time + margin)
                                    : ask_zygotes_holder(globals, request, entry.error()));
  const auto& snapshot = answer["snapshot"];
  if (format != Format::table) return write_all(sock::FdRef{1}, line_of(snapshot) + "\n");
  std::string text = fmt::format("{}: {} in {}\n", asked.snapshot,
                                 human_size(snapshot.value("bytes", std::uint64_t{0})),
                                 processes_text(snapshot.value("processes", 0)));
  for (const auto& reason : snapshot.value("copied", std::vector<std::string>{}))
    text += fmt::format("  memory that a restore copies: {}\n", reason);
  return write_all(sock::FdRef{1}, text);
}

}  // namespace

int checkpoint(const Globals& globals, const SnapshotOptions& options) {
  const auto done = ask_for_snapshot(globals, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
