// By the files of cgroup v2.

#include "delegated_group.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include <fcntl.h>

#include "posix.hpp"

namespace sockd {
namespace {

namespace fs = std::filesystem;

constexpr const char* leaf = "/daemon";

/// Empty where there is none, or ours is the root.
std::string own_group() {
  std::ifstream groups{"/proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);)
    if (line.starts_with("0::/") && line != "0::/") return line.substr(3);
  return {};
}

std::string hierarchy() {
  std::ifstream mounts{"/proc/self/mounts"};
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words{line};
    std::string source;
    std::string place;
    std::string type;
    if (words >> source >> place >> type && type == "cgroup2") return place;
  }
  return {};
}

}  // namespace

sock::Result<> leave_delegated_group() {
  const std::string group = own_group();
  const std::string top = hierarchy();
  if (std::getenv("NOTIFY_SOCKET") == nullptr || group.empty() || top.empty()) return {};
  if (group.ends_with(leaf)) return {};  // Started anew in place.
  const std::string own = top + group + leaf;
  std::error_code failed;
  fs::create_directory(own, failed);
  if (failed)
    return sockctl::refuse(sock::Errc::denied, sock::Stage::cgroup, own, failed.message());
  const auto file = SOCKCTL_TRY(sockctl::open_at(sockctl::here, own + "/cgroup.procs", O_WRONLY));
  return sockctl::write_all(file, "0");
}

}  // namespace sockd
