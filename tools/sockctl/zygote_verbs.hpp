#pragma once

// The verbs of `sockctl zygote`, each in a file of its own (zygote_VERB.cpp) and described in
// command_line_zygote.cpp (those that need no zygote) and command_line_zygote_held.cpp. Each gives
// the exit status of the process.

#include <cstddef>
#include <string>
#include <vector>

#include "globals.hpp"
#include "verbs.hpp"

namespace sockctl {

struct ZygoteCreateOptions {
  std::string name = {};
  std::vector<std::string> preload = {};  ///< Each may be a list with commas.
  std::vector<std::string> paths = {};
  std::string runtime = "python";
  std::string python = {};  ///< Empty: python3, where the runtime is python.
  std::size_t spares = 1;
  RunOptions run = {};  ///< The root and the limits.
};
int zygote_create(const Globals& globals, ZygoteCreateOptions options);
/// Also `run --zygote`. The options are resolved.
int zygote_fork(const Globals& globals, const RunOptions& options);
int zygote_ls(const Globals& globals, const PsOptions& options);
int zygote_inspect(const Globals& globals, const std::vector<std::string>& names);
int zygote_stats(const Globals& globals, const std::vector<std::string>& names);
int zygote_rm(const Globals& globals, const RmOptions& options);
int zygote_doctor(const Globals& globals, const std::string& name);

struct ZygoteProfileOptions {
  std::vector<std::string> modules = {};
  std::vector<std::string> paths = {};
  std::string python = "python3";
  RunOptions run = {};  ///< The root and the limits.
};
int zygote_profile(const Globals& globals, const ZygoteProfileOptions& options);
/// The process behind them, started by `create`; see zygote_host_loop.cpp.
int zygote_host(const Globals& globals);

struct ZygotePlanOptions {
  std::string costs = {};
  std::string workload = {};
  std::size_t nodes = 0;
  std::string memory = {};  ///< As given; empty: no budget.
  std::string format = "table";
};
int zygote_plan(const ZygotePlanOptions& options);

struct ZygoteTreeShowOptions {
  std::string file = {};
  std::string costs = {};     ///< Empty: costs are not known.
  std::string workload = {};  ///< Empty: nothing is predicted.
  std::string format = "table";
};
int zygote_tree_show(const ZygoteTreeShowOptions& options);

struct TreeApplyOptions {
  std::string name = {};
  std::string file = {};      ///< Empty: the root alone, which grows.
  std::string costs = {};     ///< Empty: costs are not known.
  std::string packages = {};  ///< A directory of NAME/VERSION.
  std::string memory = {};    ///< As given; empty: the library's own.
  std::size_t grow_to = 256;
  std::string stored = {};      ///< A directory; empty: no snapshots.
  std::string stored_max = {};  ///< As memory.
  std::size_t spares = 0;
  bool ahead = false;
  std::string python = "python3";
  RunOptions run = {};  ///< The root and the limits.
};
int zygote_tree_apply(const Globals& globals, const TreeApplyOptions& options);

struct TreeExportOptions {
  std::string name = {};
  std::string format = "json";
};
int zygote_tree_export(const Globals& globals, const TreeExportOptions& options);

struct ZygoteOptions {
  ZygoteCreateOptions create = {};
  ZygoteProfileOptions profile = {};
  ZygotePlanOptions plan = {};
  ZygoteTreeShowOptions tree_show = {};
  TreeApplyOptions tree_apply = {};
  TreeExportOptions tree_export = {};
};

}  // namespace sockctl
