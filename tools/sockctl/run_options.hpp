#pragma once

// What was said on the command line of `run`, still as text, and the container that it describes.
// A detached container's monitor gets the same options as JSON.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/spec.hpp"
#include "sock/zygote.hpp"

#include "try.hpp"

namespace sockctl {

/// An empty text means that the option was not given.
struct RunOptions {
  std::string name = {};
  std::string rootfs = {};
  std::string image = "host";
  std::string image_store = {};
  std::string prefetch = "auto";
  std::string handler = {};
  /// Directories; before resolve() also names, which it moves to the next.
  std::vector<std::string> packages = {};
  std::vector<std::string> cached_packages = {};  ///< "NAME" or "NAME==VERSION", of the cache.
  std::string package_cache = {};
  std::string python = {};  ///< "3.11", for which they are chosen; empty: as the root has it.
  std::vector<std::string> env = {};
  std::string cwd = {};  ///< Empty: the image's, or /.
  std::string user = {};
  std::vector<std::string> volumes = {};
  std::vector<std::string> tmpfs = {};
  std::string net = "isolated";
  std::string memory = {};
  std::string cpus = {};
  std::string pids = {};
  std::string wall = {};
  std::vector<std::string> rlimits = {};
  std::string seccomp = "handler";
  std::vector<std::string> cap_add = {};
  std::vector<std::string> userns = {};
  std::string hostname = "sock";
  bool own_mounts = false;
  bool no_init = false;
  bool interactive = false;
  bool terminal = false;
  bool detach = false;
  bool remove = false;
  bool timings = false;
  int status_fd = -1;
  std::string meta = {};
  std::string log_max = "8m";
  std::string zygote = {};                     ///< Forked from it, instead of created.
  std::vector<std::string> requirements = {};  ///< Packages, of a zygote's import tree.
  /// Restored from it, instead of created; of `run`: forked from it, a zygote's.
  std::string snapshot = {};
  std::string snapshot_store = {};
  std::vector<std::string> command = {};
};

/// What `run` needs to know of whoever called it.
struct Caller {
  std::string directory = {};
  uid_t uid = 0;
  gid_t gid = 0;
  std::function<std::optional<std::string>(const std::string&)> variable = {};
};

/// Looks `-e NAME` up and makes relative sources absolute, so that the options mean the same in
/// another process.
Result<RunOptions> resolve(RunOptions options, const Caller& caller);
/// Pure. Leaves out what needs an open descriptor or libseccomp: stdio, a joined network, and the
/// filter (see launch.hpp).
Result<sock::ContainerSpec> to_spec(const RunOptions& options, const Caller& caller);
/// With a zygote's snapshot: refuses what does not go with it.
Result<> check_snapshot_fork(const RunOptions& options);
/// With a zygote: refuses the options that a forked container cannot have.
Result<> check_forkable(const RunOptions& options);
/// Refuses what a zygote of this runtime cannot become, with Stage::exec, so that the exit status
/// is 127. What a native one has loaded it knows best itself.
Result<> check_forked_command(sock::Runtime runtime, const std::vector<std::string>& command);
/// "NAME=value" for each of PATH, HOME and (with a terminal) TERM that `given` does not set, then
/// `given`.
std::vector<std::string> environment(const std::vector<std::string>& given,
                                     const std::optional<std::string>& term);
/// "NAME" becomes "NAME=value"; a variable that is not set is left out.
Result<std::vector<std::string>> resolve_env(const std::vector<std::string>& given,
                                             const Caller& caller);

nlohmann::json to_json(const RunOptions& options);
/// As text. Arguments that are not UTF-8 are refused with the hint.
Result<std::string> serialise(const RunOptions& options, const char* hint);
Result<RunOptions> run_options_from_json(const std::string& text);

}  // namespace sockctl
