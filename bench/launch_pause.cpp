// Pausing and resuming a container, beside the bare write to the freezer of its v2 cgroup: alone,
// and together with reading cgroup.events until the kernel says that it is done.

#include <fstream>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include <benchmark/benchmark.h>

#include "launch.hpp"

namespace bench {
namespace {

void pause_with_sock(benchmark::State& state, const Setting& setting) {
  auto container = setting.host.create(setting.root.spec("wait"));
  if (!container) return state.SkipWithError(container.error().message().c_str());
  for (auto _ : state) {
    if (const auto paused = container->pause(); !paused)
      return state.SkipWithError(paused.error().message().c_str());
    if (const auto resumed = container->resume(); !resumed)
      return state.SkipWithError(resumed.error().message().c_str());
  }
}

std::string find_v2_mount() {
  std::ifstream mounts{"/proc/self/mounts"};
  std::string device;
  std::string place;
  std::string type;
  for (std::string rest; mounts >> device >> place >> type && std::getline(mounts, rest);)
    if (type == "cgroup2") return place;
  return {};
}

/// The v2 cgroup of a process, as a directory; empty where there is none.
std::string find_v2_group(pid_t pid) {
  const std::string mount = find_v2_mount();
  std::ifstream groups{"/proc/" + std::to_string(pid) + "/cgroup"};
  for (std::string line; !mount.empty() && std::getline(groups, line);)
    if (line.starts_with("0::/")) return mount + line.substr(3);
  return {};
}

bool has_settled(int events, std::string_view wanted) {
  char text[256];
  const auto size = ::pread(events, text, sizeof text, 0);
  return size > 0 && std::string_view{text, static_cast<std::size_t>(size)}.find(wanted) !=
                         std::string_view::npos;
}

enum class Until { written, settled };

void pause_by_hand(benchmark::State& state, const Setting& setting, Until until) {
  auto container = setting.host.create(setting.root.spec("wait"));
  if (!container) return state.SkipWithError(container.error().message().c_str());
  const std::string group = find_v2_group(container->pid());
  const sock::UniqueFd freezer{::open((group + "/cgroup.freeze").c_str(), O_WRONLY | O_CLOEXEC)};
  const sock::UniqueFd events{::open((group + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC)};
  if (!freezer || !events) return state.SkipWithError("no v2 cgroup");
  for (auto _ : state) {
    bool written = ::pwrite(freezer.get(), "1", 1, 0) == 1;
    while (until == Until::settled && !has_settled(events.get(), "frozen 1")) continue;
    written = written && ::pwrite(freezer.get(), "0", 1, 0) == 1;
    while (until == Until::settled && !has_settled(events.get(), "frozen 0")) continue;
    if (!written) return state.SkipWithError("the freezer refused");
  }
}

template <class... Arguments>
void add(const char* name, Arguments... arguments) {
  benchmark::RegisterBenchmark(name, arguments...)->Unit(benchmark::kMicrosecond)->UseRealTime();
}

}  // namespace

void register_pause(const Setting& setting) {
  add("pause_resume/sock", pause_with_sock, setting);
  add("pause_resume/two_writes", pause_by_hand, setting, Until::written);
  add("pause_resume/two_writes_settled", pause_by_hand, setting, Until::settled);
}

}  // namespace bench
