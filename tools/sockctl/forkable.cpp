// Which of the options of `run` a container that is forked from a zygote can have. Pure.

#include "parse.hpp"
#include "run_options.hpp"

namespace sockctl {
namespace {

std::unexpected<Error> cannot(const char* option, const char* hint) {
  return refuse(Errc::invalid_spec, Stage::validate, std::string{option} + " with a zygote", hint);
}

}  // namespace

Result<> check_forkable(const RunOptions& options) {
  constexpr const char* created = "only a created container has it; sockctl run without --zygote";
  if (options.detach) return cannot("--detach", created);
  if (!options.userns.empty()) return cannot("--userns", "it has the zygote's user namespace");
  if (!options.cap_add.empty()) return cannot("--cap-add", created);
  if (options.own_mounts) return cannot("--own-mounts", created);
  if (options.status_fd >= 0) return cannot("--status-fd", created);
  if (!options.meta.empty()) return cannot("--meta", created);
  if (!options.cached_packages.empty())
    return cannot("--package", "it has the zygote's: sockctl zygote create --package");
  const auto network = SOCKCTL_TRY(parse_network(options.net)).kind;
  if (network != sock::Network::Kind::isolated && network != sock::Network::Kind::loopback)
    return cannot("--net", "isolated or loopback");
  SOCKCTL_TRY(parse_requirements(options.requirements));
  return {};
}

Result<> check_snapshot_fork(const RunOptions& options) {
  if (options.snapshot.empty()) return {};
  if (!options.zygote.empty())
    return refuse(Errc::invalid_spec, Stage::validate, "--zygote with --snapshot", "one of them");
  if (options.detach)
    return refuse(Errc::invalid_spec, Stage::validate, "--detach with --snapshot",
                  "sockctl restore makes a zygote of it, from which sockctl zygote fork forks");
  return check_forked_command(sock::Runtime::python, options.command);
}

Result<> check_forked_command(sock::Runtime runtime, const std::vector<std::string>& command) {
  const auto& program = command.front();
  const auto name = program.substr(program.rfind('/') + 1);
  if (runtime == sock::Runtime::native || name.starts_with("python")) return {};
  return refuse(Errc::not_found, Stage::exec, program,
                "this zygote runs python only; sockctl run without one runs the rest");
}

}  // namespace sockctl
