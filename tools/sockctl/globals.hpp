#pragma once

// What every verb may be told, and the Host that follows from it.

#include <string>
#include <vector>

#include "sock/host.hpp"

#include "run_options.hpp"
#include "try.hpp"

namespace sockctl {

enum class Format : std::uint8_t { table, json, jsonl };

struct Globals {
  std::string state_dir = {};  ///< As given; state_dir() below decides.
  std::string libexec_dir = {};
  std::string cgroups = "automatic";
  std::vector<std::string> without = {};
  std::string format = "table";
};

Result<Format> format_of(const Globals& globals);
Result<std::string> state_dir(const Globals& globals);
/// The caller as the environment and the kernel describe it.
Caller current_caller();
/// Makes the state directory where it is missing.
Result<sock::HostOptions> host_options(const Globals& globals, const std::string& state);

}  // namespace sockctl
