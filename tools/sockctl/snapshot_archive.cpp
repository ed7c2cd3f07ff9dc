// sockctl snapshot export and import: a snapshot as one file, for another machine.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "image_progress.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "snapshot_json.hpp"
#include "snapshot_store.hpp"
#include "snapshot_verbs.hpp"

namespace sockctl {
namespace {

ProgressView::Kind view_kind(const SnapshotOptions& options) {
  return options.quiet ? ProgressView::Kind::none : ProgressView::kind_of_stderr();
}

Result<> export_and_tell(Format format, const SnapshotOptions& options) {
  const std::string& name = options.archive.snapshot;
  const std::string& file = options.archive.file;
  SOCKCTL_TRY(save_snapshot(options, file));
  if (format == Format::table)
    return write_all(sock::FdRef{1}, fmt::format("{} to {}\n", name, sock::printable(file)));
  return write_all(sock::FdRef{1}, line_of({{"snapshot", name}, {"file", file}}) + "\n");
}

Result<sock::Snapshot> import_snapshot(const SnapshotOptions& options, const std::string& file) {
  auto store = SOCKCTL_TRY(open_snapshot_store(options.store));
  ProgressView view{view_kind(options)};
  return store.add(
      file, {.name = options.archive.name,
             .progress = [&view](const sock::ImportProgress& progress) { view.show(progress); }});
}

// It is taken in all the same: what it needs may come later.
void complain_of_missing_origins(const sock::Snapshot& snapshot, const RunOptions& options) {
  for (const auto& origin : snapshot.origins)
    if (const auto kept = keep_origins({origin}, options); !kept.has_value())
      complain(fmt::format("a restore needs {}, which cannot be used here: {}",
                           sock::printable(origin), describe(kept.error())));
}

std::string summary(const sock::Snapshot& snapshot) {
  return fmt::format("{}: {} in {} process{}\n", snapshot.name, human_size(snapshot.bytes),
                     snapshot.processes, snapshot.processes == 1 ? "" : "es");
}

}  // namespace

Result<> save_snapshot(const SnapshotOptions& options, const std::string& file) {
  const auto store = SOCKCTL_TRY(open_snapshot_store(options.store));
  ProgressView view{view_kind(options)};
  return store.save(
      options.archive.snapshot, file,
      {.progress = [&view](const sock::ImportProgress& progress) { view.show(progress); }});
}

Result<> import_and_tell(Format format, const SnapshotOptions& options, const std::string& file) {
  const auto snapshot = SOCKCTL_TRY(import_snapshot(options, file));
  complain_of_missing_origins(snapshot, options.restore.limits);
  return write_all(sock::FdRef{1},
                   format == Format::table ? summary(snapshot) : line_of(to_json(snapshot)) + "\n");
}

int snapshot_export(const Globals& globals, const SnapshotOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(export_and_tell(*format, options));
}

int snapshot_import(const Globals& globals, const SnapshotOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(import_and_tell(*format, options, options.archive.file));
}

}  // namespace sockctl
