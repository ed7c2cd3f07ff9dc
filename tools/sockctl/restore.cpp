// sockctl restore: detached containers, each with a monitor, from one snapshot; or zygotes, which
// the background Host holds.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "client.hpp"
#include "console.hpp"
#include "detach.hpp"
#include "json_values.hpp"
#include "limits.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "run_report.hpp"
#include "snapshot_store.hpp"
#include "snapshot_verbs.hpp"
#include "store_place.hpp"
#include "zygote_client.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds restore_time{60};

/// Without --name: random ones, or of a zygote the one that it had.
Result<std::string> name_of_its_own(const sock::Snapshot& snapshot) {
  if (snapshot.kind == sock::Snapshot::Kind::zygote) return snapshot.spec.name;
  return random_name();
}

// One name and many copies: NAME-1, NAME-2, ...
Result<std::vector<std::string>> names_of(const RestoreVerbOptions& options,
                                          const sock::Snapshot& snapshot) {
  std::vector<std::string> names = options.names;
  if (names.size() == options.count) return names;
  if (names.size() > 1)
    return refuse(Errc::invalid_spec, Stage::validate, "--name",
                  fmt::format("{} names for {} containers", names.size(), options.count));
  const bool is_zygote = snapshot.kind == sock::Snapshot::Kind::zygote;
  const std::string given = names.empty() ? "" : names.front();
  if (is_zygote && given.empty() && options.count > 1)
    return refuse(Errc::invalid_spec, Stage::validate, "--count", "zygotes need --name as well");
  names.clear();
  for (unsigned number = 1; number <= options.count; ++number)
    names.push_back(given.empty() ? SOCKCTL_TRY(name_of_its_own(snapshot))
                                  : fmt::format("{}-{}", given, number));
  return names;
}

// Not all of what runs is text; what is not is replaced, since JSON holds nothing else.
std::string as_utf8(const std::string& word) {
  const auto replace = nlohmann::json::error_handler_t::replace;
  return nlohmann::json::parse(nlohmann::json(word).dump(-1, ' ', false, replace));
}

// What `ps`, `stats` and `inspect` show of it.
RunOptions describe(const sock::Snapshot& snapshot, const SnapshotOptions& options) {
  RunOptions described = options.restore.limits;
  described.detach = true;
  described.snapshot = snapshot.name;
  described.snapshot_store = options.store;
  for (const auto& word : snapshot.spec.argv) described.command.push_back(as_utf8(word));
  described.hostname = snapshot.spec.hostname;
  described.no_init = snapshot.spec.init == sock::Init::none;
  if (described.memory.empty() && snapshot.spec.resources.memory_max)
    described.memory = std::to_string(*snapshot.spec.resources.memory_max);
  return described;
}

Result<> print_timings(const Globals& globals, const std::string& name) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto entry = SOCKCTL_TRY(open_entry(state, name));
  const auto answer = SOCKCTL_TRY(ask(entry, {{"verb", "inspect"}}, answer_time));
  return write_all(sock::FdRef{2},
                   timings_table(timings_from_json(answer["container"]["timings"])));
}

Result<> restore_zygote(const Globals& globals, const SnapshotOptions& options,
                        const std::string& store, const std::string& name) {
  const auto& asked = options.restore;
  const auto socket = SOCKCTL_TRY(ask_to_hold(
      globals,
      {{"verb", "restore"}, {"store", store}, {"snapshot", asked.snapshot}, {"name", name}},
      restore_time));
  const auto answer = next_zygote_event(socket, std::chrono::steady_clock::now() + restore_time);
  if (!answer.has_value()) {
    await_end_of(socket);
    return std::unexpected(answer.error());
  }
  SOCKCTL_TRY(write_all(sock::FdRef{1}, name + "\n"));
  if (!asked.timings) return {};
  return write_all(sock::FdRef{2},
                   timings_table(timings_from_json((*answer)["zygote"]["timings"])));
}

Result<> restore_zygotes(const Globals& globals, const SnapshotOptions& options,
                         const std::vector<std::string>& names) {
  const auto& limits = options.restore.limits;
  for (const auto& [option, value] :
       {std::pair{"--memory", limits.memory}, std::pair{"--cpus", limits.cpus},
        std::pair{"--pids", limits.pids}, std::pair{"--user", limits.user}})
    if (!value.empty())
      return refuse_option(option, value,
                           "a zygote has the limits that it was created with, and each fork its "
                           "own user");
  const auto store =
      SOCKCTL_TRY(choose_store(snapshot_store_place, options.store, current_caller()));
  for (const auto& name : names) SOCKCTL_TRY(restore_zygote(globals, options, store, name));
  return {};
}

Result<> restore_all(const Globals& globals, SnapshotOptions options) {
  const auto& asked = options.restore;
  // Before any monitor is started: a damaged snapshot, or none at all, is one mistake.
  const auto store = SOCKCTL_TRY(open_snapshot_store(options.store));
  const auto snapshot = SOCKCTL_TRY(store.find(asked.snapshot));
  const auto names = SOCKCTL_TRY(names_of(asked, snapshot));
  if (snapshot.kind == sock::Snapshot::Kind::zygote)
    return restore_zygotes(globals, options, names);
  SOCKCTL_TRY(limits_over(snapshot.spec.resources, asked.limits));
  if (!asked.limits.user.empty()) SOCKCTL_TRY(parse_user(asked.limits.user));
  RunOptions described = describe(snapshot, options);
  for (const auto& name : names) {
    described.name = name;
    SOCKCTL_TRY(start_monitor(globals, described));
    SOCKCTL_TRY(write_all(sock::FdRef{1}, name + "\n"));
    if (asked.timings) SOCKCTL_TRY(print_timings(globals, name));
  }
  return {};
}

}  // namespace

int restore(const Globals& globals, const SnapshotOptions& options) {
  const auto signals = foreground_signals();
  if (!signals.has_value()) return fail(signals.error());
  const auto done = restore_all(globals, options);
  if (done.has_value()) return 0;
  return done.error().code == Errc::invalid_spec ? fail_usage(done.error()) : fail(done.error());
}

}  // namespace sockctl
