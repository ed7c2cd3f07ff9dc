#pragma once

// The command line of sockctl: verbs, options, help texts. Understands; the verbs act.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "function_verbs.hpp"
#include "globals.hpp"
#include "image_verbs.hpp"
#include "package_verbs.hpp"
#include "registry.hpp"
#include "snapshot_verbs.hpp"
#include "verbs.hpp"
#include "zygote_verbs.hpp"

namespace CLI {
class App;
}

namespace sockctl {

/// What is to be done, once the command line has been read. Callbacks of CLI11 fill it.
struct Invocation {
  Globals globals = {};
  RunOptions run = {};
  ExecOptions exec = {};
  PsOptions ps = {};
  StatsOptions stats = {};
  LogsOptions logs = {};
  KillOptions kill = {};
  RmOptions rm = {};
  ZygoteOptions zygote = {};
  ImageOptions image = {};
  PackageOptions package = {};
  SnapshotOptions snapshot = {};
  FunctionOptions function = {};
  std::vector<std::string> names = {};
  std::string shell = {};
  std::function<int()> action = {};
};

/// What a verb does, once the command line has been read.
using Action = int (*)(Invocation&);
CLI::App& add_group(CLI::App& app, const char* name, const char* help, const char* examples);
/// A verb with its examples.
CLI::App& add_verb(CLI::App& group, Invocation& invocation, const char* name, const char* help,
                   const std::string& examples, Action action);
/// One that uses a Host, and so takes the options of every Host.
CLI::App& add_host_verb(CLI::App& group, Invocation& invocation, const char* name, const char* help,
                        const std::string& examples, Action action);
void add_format(CLI::App& verb, Invocation& invocation);
/// What asks a registry takes.
void add_registry(CLI::App& verb, RegistryOptions& options);

/// `run` (command_line_run.cpp), `zygote` (command_line_zygote.cpp) and the others
/// (command_line.cpp). The invocation must outlive the parser.
void describe_run(CLI::App& app, Invocation& invocation);
void describe_exec(CLI::App& app, Invocation& invocation);
void describe_zygote(CLI::App& app, Invocation& invocation);
/// command_line_image.cpp
void describe_image(CLI::App& app, Invocation& invocation);
/// command_line_snapshot.cpp
void describe_snapshot(CLI::App& app, Invocation& invocation);
/// command_line_package.cpp
void describe_package(CLI::App& app, Invocation& invocation);
/// command_line_function.cpp
void describe_function(CLI::App& app, Invocation& invocation);
void describe_serve(CLI::App& app, Invocation& invocation);
void describe_config(CLI::App& app, Invocation& invocation);
/// The part of it with zygotes that live (command_line_zygote_held.cpp).
void describe_held_zygotes(CLI::App& group, Invocation& invocation);
/// And with import trees, in files and alive (command_line_zygote_tree.cpp).
void describe_zygote_trees(CLI::App& group, Invocation& invocation);
/// What starts an interpreter takes.
void add_python(CLI::App& verb, std::string& python);
/// Of the options of `run`: packages; those that a zygote takes, and those of a container forked
/// from one.
void describe_packages(CLI::App& verb, RunOptions& run);
void describe_zygote_root(CLI::App& verb, RunOptions& run);
void describe_forked(CLI::App& verb, RunOptions& run);
void describe_verbs(CLI::App& app, Invocation& invocation);
/// That verb, or group of verbs, alone, where it is one of those that are used most: describing all
/// takes milliseconds. False, and nothing is described, where it is not.
bool describe_one(CLI::App& app, Invocation& invocation, std::string_view verb);
/// Options that every verb takes.
void describe_globals(CLI::App& verb, Invocation& invocation);

/// The words of `run`, `exec`, `zygote fork` and `image prefetch` that are the payload's: what
/// CLI11 left, and what followed "--".
struct Arguments {
  std::vector<std::string> ours;    ///< Without argv[0].
  std::vector<std::string> beyond;  ///< After the first "--".
  bool separated = false;
};
Arguments split_arguments(const std::vector<std::string>& arguments);

/// A completion script for bash, zsh or fish, made from the tree of verbs and options.
Result<std::string> completion_script(const CLI::App& app, const std::string& shell);

}  // namespace sockctl
