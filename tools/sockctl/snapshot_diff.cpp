// sockctl snapshot diff: what two snapshots do not have in common.

#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "snapshot_json.hpp"
#include "snapshot_store.hpp"
#include "snapshot_verbs.hpp"

namespace sockctl {
namespace {

Result<> compare(Format format, const SnapshotOptions& options) {
  const auto store = SOCKCTL_TRY(open_snapshot_store(options.store));
  const auto difference = SOCKCTL_TRY(store.diff(options.names.at(0), options.names.at(1)));
  return print_difference(format, options.names.at(0), options.names.at(1), difference);
}

}  // namespace

int snapshot_diff(const Globals& globals, const SnapshotOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(compare(*format, options));
}

}  // namespace sockctl
