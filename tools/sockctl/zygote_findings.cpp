// Judging a zygote.

#include "zygote_findings.hpp"

#include <algorithm>
#include <sstream>

namespace sockctl {
namespace {

using Outcome = Finding::Outcome;

// The text after "NAME:" at the start of a line; empty when it is not there.
std::string value_of(std::string_view status, const std::string& name) {
  std::istringstream lines{std::string{status}};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + ":")) continue;
    const auto begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string::npos ? std::string{} : line.substr(begin);
  }
  return {};
}

Finding expect(const char* name, const std::string& found, const char* wanted, const char* remedy) {
  if (found == wanted) return {.name = name, .outcome = Outcome::ok, .found = found};
  return {.name = name, .outcome = Outcome::failed, .found = found, .remedy = remedy};
}

// What every zygote has: /dev/null, pipes of its maker, and the socket to its Host.
bool is_usual(const std::string& target) {
  return target == "/dev/null" || target.starts_with("socket:") || target.starts_with("pipe:") ||
         target.starts_with("anon_inode:[pidfd]");
}

}  // namespace

std::vector<Finding> judge_status(std::string_view status) {
  return {
      expect("threads", value_of(status, "Threads"), "1",
             "a module has started one; sockctl zygote profile names it"),
      expect("no_new_privs", value_of(status, "NoNewPrivs"), "1",
             "this is no zygote of ours; remove it"),
      expect("filter", value_of(status, "Seccomp"), "2", "this is no zygote of ours; remove it")};
}

Finding judge_uid_map(std::string_view uid_map) {
  std::istringstream line{std::string{uid_map}};
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  line >> inside >> outside;
  const bool mapped = !line.fail();
  if (mapped && outside != 0)
    return {.name = "user_namespace",
            .outcome = Outcome::ok,
            .found = "root inside is " + std::to_string(outside) + " outside"};
  return {.name = "user_namespace",
          .outcome = Outcome::failed,
          .found = mapped ? "root inside is root outside" : "no map",
          .remedy = "packages have run with real privilege; remove it"};
}

Finding judge_descriptors(const std::vector<std::string>& targets) {
  std::string left;
  for (const auto& target : targets)
    if (!is_usual(target)) left += (left.empty() ? "" : ", ") + target;
  if (left.empty())
    return {.name = "descriptors",
            .outcome = Outcome::ok,
            .found = std::to_string(targets.size()) + ", none of a module"};
  return {.name = "descriptors",
          .outcome = Outcome::degraded,
          .found = left,
          .remedy = "a module left them open; forked payloads do not get them"};
}

Finding judge_siblings(std::string_view one, std::string_view other) {
  std::istringstream lines{std::string{one}};
  std::string shared;
  std::size_t values = 0;
  for (std::string line; std::getline(lines, line); ++values)
    if (line.contains(' ') && ("\n" + std::string{other}).contains("\n" + line + "\n"))
      shared += (shared.empty() ? "" : ", ") + line.substr(0, line.find(' '));
  if (values == 0)
    return {.name = "siblings",
            .outcome = Outcome::failed,
            .found = "a fork said nothing",
            .remedy = "sockctl zygote fork, to see why"};
  if (shared.empty())
    return {.name = "siblings",
            .outcome = Outcome::ok,
            .found = std::to_string(values) + " kinds of random values differ"};
  return {.name = "siblings",
          .outcome = Outcome::failed,
          .found = "two forks have the same " + shared,
          .remedy = "os.register_at_fork(after_in_child=...) in the module that keeps it"};
}

}  // namespace sockctl
