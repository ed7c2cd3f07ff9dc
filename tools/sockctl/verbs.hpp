#pragma once

// The verbs of sockctl: what each does, once its command line has been understood. Each gives the
// exit status of the process and has already said on stderr what went wrong.

#include <string>
#include <vector>

#include "globals.hpp"

namespace sockctl {

int run(const Globals& globals, RunOptions options);
/// The other half of `run -d`, started by it; see monitor.cpp.
int monitor(const Globals& globals);

struct PsOptions {
  bool quiet = false;
};
int ps(const Globals& globals, const PsOptions& options);
int inspect(const Globals& globals, const std::vector<std::string>& names);

struct StatsOptions {
  std::vector<std::string> names = {};
  bool watch = false;
};
int stats(const Globals& globals, const StatsOptions& options);

struct LogsOptions {
  std::string name = {};
  bool follow = false;
  long tail = -1;  ///< Lines; -1: all.
};
int logs(const Globals& globals, const LogsOptions& options);

struct ExecOptions {
  std::string name = {};
  std::vector<std::string> env = {};
  std::string cwd = "/";
  std::string user = {};
  bool interactive = false;
  bool terminal = false;
  std::vector<std::string> command = {};
};
int exec(const Globals& globals, ExecOptions options);

int pause(const Globals& globals, const std::vector<std::string>& names);
int resume(const Globals& globals, const std::vector<std::string>& names);

struct KillOptions {
  std::vector<std::string> names = {};
  std::string signal = "KILL";
};
int kill(const Globals& globals, const KillOptions& options);
int wait(const Globals& globals, const std::vector<std::string>& names);

struct RmOptions {
  std::vector<std::string> names = {};
  bool force = false;
};
int rm(const Globals& globals, const RmOptions& options);
int gc(const Globals& globals);
int check(const Globals& globals);
int version(const Globals& globals);

}  // namespace sockctl
