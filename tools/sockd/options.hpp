#pragma once

// How the daemon is started: its command line, and what follows from that and its file.

#include <optional>
#include <string>
#include <vector>

#include "redis_address.hpp"
#include "settings.hpp"

namespace CLI {
class App;
}

namespace sockd {

struct CommandLine {
  std::string config = {};
  std::string state = {};
  std::vector<std::string> listen = {};
  std::string memory = {};
  std::string package_cache = {};
  std::string libexec = {};
  std::string cgroups = "automatic";
  bool show = false;      ///< Print what it is set up to do, and end.
  bool validate = false;  ///< Only say whether it can be.
};

void describe(CLI::App& app, CommandLine& line);
/// The defaults, then the file, then the command line.
sock::Result<Settings> settings_of(const CommandLine& line);
/// What strangers must show; empty when that is nothing.
sock::Result<std::string> read_token(const Settings& settings);
/// Where the objects of applications are shared, if they are.
sock::Result<std::optional<RedisAccess>> read_redis_access(const Settings& settings);
/// Without a token whoever reaches an address may call functions: it must be this machine's own.
sock::Result<> check_listening(const Settings& settings, const std::string& token);

}  // namespace sockd
