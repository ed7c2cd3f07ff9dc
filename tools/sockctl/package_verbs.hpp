#pragma once

// The verbs of `sockctl package`, described in command_line_package.cpp. Each gives the exit status
// of the process.

#include <string>
#include <vector>

#include "globals.hpp"

namespace sockctl {

struct PackageAddOptions {
  std::string source = {};
  std::string name = {};  ///< NAME==VERSION, of a directory.
};
struct PackageOptions {
  std::string cache = {};  ///< As given.
  PackageAddOptions add = {};
  bool no_compile = false;                 ///< add, fetch
  RunOptions interpreter = {};             ///< compile: its root and its version.
  bool quiet = false;                      ///< ls
  std::vector<std::string> packages = {};  ///< NAME or NAME==VERSION.
};

int package_add(const Globals& globals, const PackageOptions& options);
/// Debian packages, with what they need, by apt-get.
int package_fetch(const Globals& globals, const PackageOptions& options);
/// Adds the bytecode of their modules.
int package_compile(const Globals& globals, const PackageOptions& options);
int package_ls(const Globals& globals, const PackageOptions& options);
int package_inspect(const Globals& globals, const PackageOptions& options);
int package_rm(const Globals& globals, const PackageOptions& options);
/// 1 when something is not as it was taken in.
int package_verify(const Globals& globals, const PackageOptions& options);
int package_gc(const Globals& globals, const PackageOptions& options);

}  // namespace sockctl
