// What forked containers hold, for bench/zygote: of each, the memory that is its own.
//   usage: zygote_memory --modules A,B|- --python PROGRAM --state DIR --libexec DIR --count N
// Forks N containers that wait, and keeps N spares; prints a line of JSON with means in bytes.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sock/sock.hpp"

#include "module_list.hpp"
#include "process_memory.hpp"

namespace {

using Arguments = std::map<std::string, std::string>;

template <class T>
T or_end(sock::Result<T> result) {
  if (!result.has_value()) {
    std::fprintf(stderr, "zygote_memory: %s\n", result.error().message().c_str());
    std::exit(1);
  }
  return std::move(*result);
}

/// Each child of the domain's init that is none of these is a spare.
std::vector<pid_t> spares_of(sock::ZygoteDomain& domain, const std::vector<pid_t>& others) {
  const std::string init = std::to_string(domain.container().pid());
  std::ifstream children{"/proc/" + init + "/task/" + init + "/children"};
  std::vector<pid_t> spares;
  for (pid_t pid = 0; children >> pid;)
    if (std::find(others.begin(), others.end(), pid) == others.end()) spares.push_back(pid);
  return spares;
}

struct Running {
  std::vector<sock::Container> containers;
  std::vector<pid_t> pids;
};

/// They have run a statement and wait for the end of their stdin.
Running run_waiting(sock::Zygote& zygote, const std::string& python, std::size_t count,
                    sock::FdRef in) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) std::exit(1);
  const sock::UniqueFd reader{ends[0]};
  const sock::UniqueFd writer{ends[1]};
  Running running;
  for (std::size_t i = 0; i < count; ++i) {
    sock::ContainerSpec spec{.name = "m" + std::to_string(i),
                             .rootfs = {.base = std::string{sock::host_image}},
                             .argv = {python, "-c", "import os\nos.write(1, b'x')\nos.read(0, 1)"}};
    spec.init = sock::Init::none;
    spec.stdio = {.in = in, .out = writer};
    running.containers.push_back(or_end(zygote.fork(spec)));
    char byte = 0;
    if (::read(reader.get(), &byte, 1) != 1) std::exit(1);
    running.pids.push_back(running.containers.back().pid());
  }
  return running;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) arguments[argv[i]] = argv[i + 1];
  const std::size_t count = std::stoul(arguments["--count"]);
  auto host = or_end(
      sock::Host::open({.state_dir = arguments["--state"], .libexec_dir = arguments["--libexec"]}));
  auto domain = or_end(host.open_domain({.name = "bench",
                                         .rootfs = {.base = std::string{sock::host_image}},
                                         .interpreter = {arguments["--python"]}}));
  auto bare = or_end(domain.start_zygote());
  auto zygote = or_end(bare.grow({.modules = split_modules(arguments["--modules"])}));
  if (!bare.kill() || !zygote.keep_spares(count)) return 1;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return 1;
  const sock::UniqueFd in{ends[0]};
  const sock::UniqueFd hold{ends[1]};
  Running running = run_waiting(zygote, arguments["--python"], count, in);
  std::vector<pid_t> known = running.pids;
  known.push_back(zygote.pid());
  // Spares come when nobody asks for anything else.
  std::vector<pid_t> parked;
  for (int i = 0; i < 500 && parked.size() < count; ++i) {
    ::poll(nullptr, 0, 20);
    parked = spares_of(domain, known);
  }
  std::printf("{\"count\": %zu, \"rss\": %llu, ", count,
              static_cast<unsigned long long>(or_end(zygote.memory()).rss));
  print_memory("zygote", memory_of(zygote.pid()), ", ");
  print_memory("parked", mean_memory_of(parked), ", ");
  print_memory("running", mean_memory_of(running.pids), "}\n");
  return parked.size() == count ? 0 : 1;
}
