// Runs a payload in a container that is forked from a zygote: what sockctl does for created ones.
//
//   fork_driver STATE LIBEXEC UID COUNT OPTION... -- python3 ARGUMENTS...
//
// COUNT containers, one after the other. OPTION is --bind SOURCE TARGET (read-only), --tmpfs
// TARGET,
// --pids N, --nofile N or --env NAME=VALUE, or, for the zygote itself, --import MODULE (of
// /payloads), --import-pids N (of its domain) and --import-env NAME=VALUE. The exit status is the
// last payload's, or 125.

#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "sock/sock.hpp"

namespace {

using Arguments = std::span<const std::string>;

struct Job {
  std::string state;
  std::string libexec;
  int count;
  sock::ContainerSpec spec;
  std::vector<std::string> modules = {};
  std::vector<std::string> import_env = {};
  sock::Resources domain = {};
};

/// Thrown, so that the Host is closed on the way out.
[[noreturn]] void end(const std::string& why) {
  throw std::runtime_error{why};
}

template <class T>
T valid(sock::Result<T> result) {
  if (!result) end(result.error().message());
  return *std::move(result);
}

const std::string& next(Arguments& rest) {
  if (rest.empty()) end("an argument is missing");
  const std::string& first = rest.front();
  rest = rest.subspan(1);
  return first;
}

void read_option(const std::string& option, Arguments& rest, Job& job) {
  sock::ContainerSpec& spec = job.spec;
  if (option == "--bind") {
    const std::string& source = next(rest);
    spec.rootfs.binds.push_back({.source = source, .target = next(rest)});
  } else if (option == "--tmpfs") {
    spec.rootfs.tmpfs.push_back({.target = next(rest), .size_max = 8U << 20U});
  } else if (option == "--pids") {
    spec.resources.pids_max = static_cast<std::uint32_t>(std::stoul(next(rest)));
  } else if (option == "--nofile") {
    spec.rlimits.push_back({.name = "nofile", .value = std::stoul(next(rest))});
  } else if (option == "--env") {
    spec.env.push_back(next(rest));
  } else if (option == "--import") {
    job.modules.push_back(next(rest));
  } else if (option == "--import-pids") {
    job.domain.pids_max = static_cast<std::uint32_t>(std::stoul(next(rest)));
  } else if (option == "--import-env") {
    job.import_env.push_back(next(rest));
  } else {
    end("what is " + option + "?");
  }
}

Job read_job(Arguments rest) {
  Job job{.state = next(rest),
          .libexec = next(rest),
          .count = 0,
          .spec = {.name = "forked", .rootfs = {}, .argv = {}}};
  sock::ContainerSpec& spec = job.spec;
  spec.rootfs.base = sock::host_image;
  spec.identity.uid = spec.identity.gid = static_cast<uid_t>(std::stoul(next(rest)));
  job.count = std::stoi(next(rest));
  for (std::string option = next(rest); option != "--"; option = next(rest))
    read_option(option, rest, job);
  spec.argv.assign(rest.begin(), rest.end());
  spec.init = sock::Init::none;
  spec.stdio = {.in = sock::FdRef{0}, .out = sock::FdRef{1}, .err = sock::FdRef{2}};
  return job;
}

int run(const Job& job) {
  sock::HostOptions options{.state_dir = job.state};
  options.libexec_dir = job.libexec;
  sock::Host host = valid(sock::Host::open(options));
  sock::ZygoteDomain domain = valid(host.open_domain({.name = "domain",
                                                      .rootfs = job.spec.rootfs,
                                                      .interpreter = {"/usr/bin/python3"},
                                                      .env = job.import_env,
                                                      .resources = job.domain}));
  sock::Zygote root = valid(domain.start_zygote());
  sock::Zygote zygote = valid(root.grow({.modules = job.modules, .paths = {"/payloads"}}));
  int status = 125;
  for (int i = 0; i < job.count; ++i) {
    sock::Container container = valid(zygote.fork(job.spec));
    const sock::ExitStatus ended = valid(container.wait());
    status = ended.kind == sock::ExitStatus::Kind::exited ? ended.value : 128 + ended.value;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    return run(read_job(arguments));
  } catch (const std::exception& failure) {
    std::cerr << "fork_driver: " << failure.what() << '\n';
    return 125;
  }
}
