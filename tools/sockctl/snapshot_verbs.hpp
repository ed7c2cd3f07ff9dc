#pragma once

// The verbs around snapshots, described in command_line_snapshot.cpp. Each gives the exit status of
// the process.

#include <chrono>
#include <string>
#include <vector>

#include "globals.hpp"
#include "registry.hpp"
#include "run_options.hpp"
#include "verbs.hpp"

namespace sockctl {

inline constexpr std::chrono::seconds checkpoint_time{120};

struct CheckpointVerbOptions {
  std::string name = {};      ///< Of the container.
  std::string snapshot = {};  ///< Of what is written.
  bool stop = false;
  std::string memory = "auto";  ///< Or "mapped", "copied".
};
struct RestoreVerbOptions {
  std::string snapshot = {};
  std::vector<std::string> names = {};
  unsigned count = 1;
  RunOptions limits = {};  ///< memory, cpus, pids and user alone.
  bool timings = false;
};
struct SnapshotArchiveOptions {
  std::string file = {};
  std::string snapshot = {};  ///< export, push
  std::string name = {};      ///< import, pull: as given.
  std::string place = {};     ///< push, pull: in a registry.
};
struct SnapshotOptions {
  std::string store = {};  ///< As given.
  CheckpointVerbOptions checkpoint = {};
  RestoreVerbOptions restore = {};  ///< import, pull: where images and packages are alone.
  SnapshotArchiveOptions archive = {};
  RegistryOptions registry = {};        ///< push, pull
  bool quiet = false;                   ///< ls, export, import, push, pull
  bool tree = false;                    ///< inspect
  std::vector<std::string> names = {};  ///< Of snapshots.
};

/// Writes the snapshot to export or to push into a file, with progress on stderr.
Result<> save_snapshot(const SnapshotOptions& options, const std::string& file);
/// Takes one in from a file, with progress on stderr, and says what has come.
Result<> import_and_tell(Format format, const SnapshotOptions& options, const std::string& file);
int checkpoint(const Globals& globals, const SnapshotOptions& options);
int restore(const Globals& globals, const SnapshotOptions& options);
int snapshot_ls(const Globals& globals, const SnapshotOptions& options);
int snapshot_inspect(const Globals& globals, const SnapshotOptions& options);
int snapshot_rm(const Globals& globals, const SnapshotOptions& options);
/// 1 when something is not as it was written.
int snapshot_verify(const Globals& globals, const SnapshotOptions& options);
int snapshot_diff(const Globals& globals, const SnapshotOptions& options);
int snapshot_export(const Globals& globals, const SnapshotOptions& options);
int snapshot_import(const Globals& globals, const SnapshotOptions& options);
/// By way of a registry.
int snapshot_push(const Globals& globals, const SnapshotOptions& options);
int snapshot_pull(const Globals& globals, const SnapshotOptions& options);
int snapshot_gc(const Globals& globals, const SnapshotOptions& options);

}  // namespace sockctl
