// The caller, the state directory and the options of the Host.

#include "globals.hpp"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "parse.hpp"
#include "state_dir.hpp"

namespace sockctl {
namespace {

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>{value} : std::nullopt;
}

// In a build tree, sockctl is at tools/sockctl/ and the helper programs are copied to libexec/.
// Elsewhere empty: the library knows where it was installed.
std::string built_libexec_dir() {
  std::error_code problem;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", problem);
  if (problem) return {};
  const auto candidate = self.parent_path().parent_path().parent_path() / "libexec";
  return std::filesystem::exists(candidate / "sock-init", problem) ? candidate.string() : "";
}

}  // namespace

Result<Format> format_of(const Globals& globals) {
  if (globals.format == "table") return Format::table;
  if (globals.format == "json") return Format::json;
  if (globals.format == "jsonl") return Format::jsonl;
  return refuse_option("--format", globals.format, "one of table, json, jsonl");
}

Result<std::string> state_dir(const Globals& globals) {
  return choose_state_dir(globals.state_dir, {.sock_state_dir = variable("SOCK_STATE_DIR"),
                                              .xdg_runtime_dir = variable("XDG_RUNTIME_DIR"),
                                              .uid = ::geteuid()});
}

Caller current_caller() {
  std::error_code problem;
  return {.directory = std::filesystem::current_path(problem).string(),
          .uid = ::geteuid(),
          .gid = ::getegid(),
          .variable = variable};
}

Result<sock::HostOptions> host_options(const Globals& globals, const std::string& state) {
  SOCKCTL_TRY(prepare_state_dir(state));
  const auto backend = SOCKCTL_TRY(parse_backend(globals.cgroups));
  return sock::HostOptions{
      .state_dir = hosts_dir(state),
      .cgroup = {.backend = backend, .reserve = 1},  // One container for each Host.
      .libexec_dir = globals.libexec_dir.empty() ? built_libexec_dir() : globals.libexec_dir,
      .without = globals.without};
}

}  // namespace sockctl
