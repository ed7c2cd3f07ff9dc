#pragma once

// The verbs around functions, described in command_line_function.cpp: requests to sockd. Each gives
// the exit status of the process.

#include <string>
#include <vector>

#include "globals.hpp"

namespace sockctl {

struct FunctionOptions {
  std::string daemon = {};  ///< As given: sockd's state directory.
  std::string name = {};
  std::string code = {};    ///< create, update: a directory, or a tar or zip file.
  std::string event = {};   ///< invoke: JSON, or @FILE.
  bool timings = false;     ///< invoke
  bool later = false;       ///< invoke: do not wait.
  bool deliver = false;     ///< dead-letters: after all.
  bool forget = false;      ///< dead-letters
  bool quiet = false;       ///< ls
  std::size_t lines = 100;  ///< logs
  bool follow = false;      ///< logs
  std::vector<std::string> names = {};
  std::vector<std::string> words = {};  ///< serve, config: sockd's own options.
  std::string config = {};              ///< config: a file in TOML.
};

int function_create(const Globals& globals, const FunctionOptions& options);
int function_update(const Globals& globals, const FunctionOptions& options);
int function_ls(const Globals& globals, const FunctionOptions& options);
int function_inspect(const Globals& globals, const FunctionOptions& options);
int function_rm(const Globals& globals, const FunctionOptions& options);
/// 1 when the function has failed.
int function_invoke(const Globals& globals, const FunctionOptions& options);
int function_dead_letters(const Globals& globals, const FunctionOptions& options);
int function_logs(const Globals& globals, const FunctionOptions& options);
/// These become sockd.
int serve(const Globals& globals, const FunctionOptions& options);
int config_show(const Globals& globals, const FunctionOptions& options);
int config_validate(const Globals& globals, const FunctionOptions& options);

}  // namespace sockctl
