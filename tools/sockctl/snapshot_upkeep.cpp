// sockctl snapshot ls, inspect, verify, rm and gc.

#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "snapshot_json.hpp"
#include "snapshot_store.hpp"
#include "snapshot_verbs.hpp"
#include "verification.hpp"

namespace sockctl {
namespace {

constexpr sock::FdRef out{1};
using Verb = std::function<Result<int>(sock::SnapshotStore&, const std::string&)>;

/// As many as can be: the first failure decides the exit status.
int for_each_snapshot(const SnapshotOptions& options, const Verb& verb) {
  auto store = open_snapshot_store(options.store);
  if (!store.has_value()) return fail(store.error());
  int status = 0;
  for (const auto& name : options.names) {
    const auto done = verb(*store, name);
    const int mine = done.has_value() ? *done : fail(done.error());
    if (status == 0) status = mine;
  }
  return status;
}

Result<> list(Format format, const SnapshotOptions& options) {
  const auto store = SOCKCTL_TRY(open_snapshot_store(options.store));
  const auto snapshots = SOCKCTL_TRY(store.list());
  if (!options.quiet) return print_snapshots(format, snapshots);
  std::string names;
  for (const auto& snapshot : snapshots) names += snapshot.name + "\n";
  return write_all(out, names);
}

Result<> show(Format format, const SnapshotOptions& options) {
  const auto store = SOCKCTL_TRY(open_snapshot_store(options.store));
  auto objects = nlohmann::json::array();
  for (const auto& name : options.names) {
    const auto snapshot = SOCKCTL_TRY(store.find(name));
    const auto processes = SOCKCTL_TRY(store.processes(name));
    if (options.tree) {
      SOCKCTL_TRY(print_processes(processes));
      continue;
    }
    objects.push_back(to_json(snapshot));
    objects.back()["tree"] = to_json(processes);
  }
  if (options.tree) return {};
  return print_list(format == Format::jsonl ? Format::jsonl : Format::json, objects, {}, {});
}

Result<int> verify(Format format, const sock::SnapshotStore& store, const std::string& name) {
  const auto found = SOCKCTL_TRY(store.verify(name));
  return report_verification(format, {{"snapshot", name}}, name, found, "as written");
}

Result<> collect(Format format, const SnapshotOptions& options) {
  auto store = SOCKCTL_TRY(open_snapshot_store(options.store));
  const auto removed = SOCKCTL_TRY(store.gc());
  if (format != Format::table)
    return write_all(out, line_of({{"unfinished", removed.unfinished}}) + "\n");
  return write_all(out, fmt::format("removed {} unfinished snapshots\n", removed.unfinished));
}

int act(const Globals& globals, const SnapshotOptions& options,
        Result<> (*verb)(Format, const SnapshotOptions&)) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = verb(*format, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace

int snapshot_ls(const Globals& globals, const SnapshotOptions& options) {
  return act(globals, options, list);
}

int snapshot_inspect(const Globals& globals, const SnapshotOptions& options) {
  return act(globals, options, show);
}

int snapshot_gc(const Globals& globals, const SnapshotOptions& options) {
  return act(globals, options, collect);
}

int snapshot_rm(const Globals&, const SnapshotOptions& options) {
  return for_each_snapshot(options,
                           [](sock::SnapshotStore& store, const std::string& name) -> Result<int> {
                             SOCKCTL_TRY(store.remove(name));
                             return 0;
                           });
}

int snapshot_verify(const Globals& globals, const SnapshotOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return for_each_snapshot(options, [&](const sock::SnapshotStore& store, const std::string& name) {
    return verify(*format, store, name);
  });
}

}  // namespace sockctl
