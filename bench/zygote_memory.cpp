// What forked containers hold, for bench/zygote: of each, the memory that is its own.
//   usage: zygote_memory --modules A,B|- --python PROGRAM --state DIR --libexec DIR --count N
// Forks N containers that wait, and keeps N spares; prints a line of JSON with means in bytes.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sock/sock.hpp"

namespace {

using Arguments = std::map<std::string, std::string>;

struct Memory {
  double pss = 0;
  double private_memory = 0;
};

template <class T>
T or_end(sock::Result<T> result) {
  if (!result.has_value()) {
    std::fprintf(stderr, "zygote_memory: %s\n", result.error().message().c_str());
    std::exit(1);
  }
  return std::move(*result);
}

Memory memory_of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  Memory memory;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    std::string name;
    double kib = 0;
    words >> name >> kib;
    if (name == "Pss:") memory.pss = kib * 1024;
    if (name == "Private_Clean:" || name == "Private_Dirty:") memory.private_memory += kib * 1024;
  }
  return memory;
}

Memory mean_of(const std::vector<pid_t>& pids) {
  Memory sum;
  for (const pid_t pid : pids) {
    const Memory one = memory_of(pid);
    sum.pss += one.pss / static_cast<double>(pids.size());
    sum.private_memory += one.private_memory / static_cast<double>(pids.size());
  }
  return sum;
}

std::vector<std::string> split(std::string list) {
  std::vector<std::string> items;
  std::istringstream words{list == "-" ? std::string{} : std::move(list)};
  for (std::string item; std::getline(words, item, ',');) items.push_back(item);
  return items;
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

void print(const char* name, const Memory& memory, const char* after) {
  std::printf("\"%s\": {\"pss\": %.0f, \"private\": %.0f}%s", name, memory.pss,
              memory.private_memory, after);
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
  auto zygote = or_end(bare.grow({.modules = split(arguments["--modules"])}));
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
  print("zygote", memory_of(zygote.pid()), ", ");
  print("parked", mean_of(parked), ", ");
  print("running", mean_of(running.pids), "}\n");
  return parked.size() == count ? 0 : 1;
}
