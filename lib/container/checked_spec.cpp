// The checks of a spec that need no system call.

#include "container/checked_spec.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "base/try.hpp"
#include "isolation/namespaces.hpp"
#include "isolation/rootfs/layout.hpp"

namespace sock::container {
namespace {

constexpr std::string_view alphanumeric =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t most_fds = 32;
constexpr std::chrono::milliseconds longest_time_limit = std::chrono::hours{24 * 365};
constexpr std::string_view default_path =
    "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

std::unexpected<Error> bad(std::string subject, std::string why) {
  return base::refuse(Errc::invalid_spec, Stage::validate, std::move(subject), std::move(why));
}

bool has_only(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text,
                             [&](char c) { return alphanumeric.contains(c) || extra.contains(c); });
}

Result<> check_hostname(const std::string& name) {
  if (name.empty() || name.size() > 64 || !has_only(name, ".-"))
    return bad("hostname \"" + name + "\"", "1 to 64 letters, digits, dots and dashes");
  return {};
}

Result<> check_strings(const std::vector<std::string>& strings, std::string_view what) {
  for (const std::string& item : strings)
    if (item.contains('\0')) return bad(std::string{what}, "it contains a NUL byte");
  return {};
}

Result<> check_env(const std::vector<std::string>& env) {
  SOCK_TRY(check_strings(env, "env"));
  for (const std::string& variable : env)
    if (variable.find('=') == std::string::npos || variable.front() == '=')
      return bad("env \"" + variable + "\"", "write NAME=value");
  return {};
}

Result<> check_fds(const std::vector<NamedFd>& fds) {
  if (fds.size() > most_fds) return bad("fds", "at most 32");
  for (const NamedFd& fd : fds) {
    if (fd.name.empty() || fd.name.size() > 32 || !has_only(fd.name, "_-"))
      return bad("descriptor \"" + fd.name + "\"", "1 to 32 letters, digits, _ and -");
    if (!fd.fd) return bad("descriptor \"" + fd.name + "\"", "it is empty");
    if (std::ranges::count(fds, fd.name, &NamedFd::name) > 1)
      return bad("descriptor \"" + fd.name + "\"", "the name stands twice");
  }
  return {};
}

Result<> check_namespaces(const ContainerSpec& spec) {
  const Namespaces& namespaces = spec.namespaces;
  if (namespaces.network.kind() == Network::Kind::join && !namespaces.network.joined())
    return bad("network", "no namespace to join");
  if (namespaces.user) SOCK_TRY(isolation::check_maps(*namespaces.user));
  if (unsafe::contains(namespaces.shared, unsafe::Shared::pid) && spec.init != Init::none)
    return bad("init", "a shared pid namespace has an init already; use Init::none");
  return {};
}

// The last PATH counts, as it does for getenv() in most programs that set it twice.
std::string_view find_path(const std::vector<std::string>& env) {
  std::string_view path = default_path;
  for (const std::string& variable : env)
    if (variable.starts_with("PATH=")) path = std::string_view{variable}.substr(5);
  return path;
}

Result<std::vector<std::string>> find_programs(const std::vector<std::string>& argv,
                                               const std::vector<std::string>& env) {
  if (argv.empty()) return bad("argv", "there is no program to run");
  SOCK_TRY(check_strings(argv, "argv"));
  const std::string& program = argv.front();
  if (program.empty()) return bad("argv[0]", "it is empty");
  if (program.front() == '/') return std::vector{program};
  if (program.find('/') != std::string::npos)
    return bad("program \"" + program + "\"",
               "give an absolute path, or a name to look up in PATH");
  std::vector<std::string> programs;
  for (std::string_view path = find_path(env); !path.empty();) {
    const std::string_view dir = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(dir.size() + 1, path.size()));
    if (dir.starts_with('/')) programs.push_back(std::string{dir} + "/" + program);
  }
  if (programs.empty()) return bad("PATH", "it has no absolute directory");
  return programs;
}

Result<CheckedCommand> check_command(const std::vector<std::string>& argv,
                                     const std::vector<std::string>& env, const std::string& cwd,
                                     const Identity& identity) {
  CheckedCommand checked;
  checked.programs = SOCK_TRY(find_programs(argv, env));
  SOCK_TRY(check_env(env));
  checked.cwd = SOCK_TRY(isolation::clean_path(cwd, "cwd"));
  checked.capabilities = SOCK_TRY(isolation::find_capabilities(identity.capabilities));
  constexpr auto no_id = static_cast<uid_t>(-1);
  if (identity.uid == no_id || identity.gid == no_id) return bad("uid", "4294967295 is no id");
  if (std::ranges::find(identity.groups, no_id) != identity.groups.end())
    return bad("groups", "4294967295 is no id");
  if (identity.groups.size() > 64) return bad("groups", "at most 64");
  return checked;
}

}  // namespace

Result<> check_name(const std::string& name) {
  if (name.empty()) return bad("name", "it is empty");
  if (name.size() > 64) return bad("name", "longer than 64 characters");
  if (!alphanumeric.contains(name.front()) || !has_only(name, "_.-"))
    return bad("name \"" + name + "\"", "letters, digits, and then also _ . -");
  return {};
}

Result<CheckedSpec> check(const ContainerSpec& spec) {
  SOCK_TRY(check_name(spec.name));
  SOCK_TRY(check_hostname(spec.hostname));
  CheckedCommand command = SOCK_TRY(check_command(spec.argv, spec.env, spec.cwd, spec.identity));
  SOCK_TRY(check_fds(spec.fds));
  SOCK_TRY(check(spec.resources));
  SOCK_TRY(check_namespaces(spec));
  if (spec.time_limit && (spec.time_limit->count() <= 0 || *spec.time_limit > longest_time_limit))
    return bad("time_limit", "more than 0, and at most a year");
  CheckedSpec checked;
  checked.rootfs = SOCK_TRY(isolation::check_rootfs(spec.rootfs));
  checked.rlimits = SOCK_TRY(isolation::find_rlimits(spec.rlimits));
  checked.cwd = std::move(command.cwd);
  checked.capabilities = command.capabilities;
  checked.programs = std::move(command.programs);
  return checked;
}

Result<CheckedCommand> check(const ExecSpec& spec) {
  SOCK_TRY(check_fds(spec.fds));
  return check_command(spec.argv, spec.env, spec.cwd, spec.identity);
}

}  // namespace sock::container
