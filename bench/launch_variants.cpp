// What each part of the isolation costs: the default container with one thing changed.

#include <functional>
#include <memory>

#include <benchmark/benchmark.h>

#include "launch.hpp"

namespace bench {
namespace {

using Change = std::function<void(sock::ContainerSpec&)>;

void time_changed(benchmark::State& state, const Setting& setting, const Change& change) {
  sock::ContainerSpec spec = setting.root.spec("true");
  change(spec);
  for (auto _ : state)
    if (const std::string problem = live(setting.host, spec); !problem.empty())
      return state.SkipWithError(problem.c_str());
}

void time_backend(benchmark::State& state, const Setting& setting, sock::CgroupBackend backend) {
  auto host = setting.root.open_host(backend);
  if (!host) return state.SkipWithError(host.error().message().c_str());
  sock::ContainerSpec spec = setting.root.spec("true");
  // Without cgroups, only an init makes sure that nothing outlives a crash; the library insists.
  if (host->cgroup_backend() == sock::CgroupBackend::none) spec.init = sock::Init::reaper;
  for (auto _ : state)
    if (const std::string problem = live(*host, spec); !problem.empty())
      return state.SkipWithError(problem.c_str());
}

void add(const Setting& setting, const std::string& name, const Change& change) {
  benchmark::RegisterBenchmark(name.c_str(), time_changed, setting, change)
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

Change share(sock::unsafe::Shared shared) {
  return [shared](sock::ContainerSpec& spec) { spec.namespaces.shared = shared; };
}

}  // namespace

void register_variants(const Setting& setting) {
  using sock::unsafe::Shared;
  add(setting, "namespaces/default", [](sock::ContainerSpec&) {});
  add(setting, "namespaces/shared_pid", share(Shared::pid));
  add(setting, "namespaces/shared_ipc", share(Shared::ipc));
  add(setting, "namespaces/shared_uts", share(Shared::uts));
  add(setting, "namespaces/shared_cgroup", share(Shared::cgroup));
  add(setting, "namespaces/own_loopback",
      [](sock::ContainerSpec& spec) { spec.namespaces.network = sock::Network::loopback(); });
  add(setting, "namespaces/user", [](sock::ContainerSpec& spec) {
    spec.namespaces.user =
        sock::UserNamespace{.uids = {{0, 100000, 65536}}, .gids = {{0, 100000, 65536}}};
    spec.identity = {.uid = 0, .gid = 0};
  });
  add(setting, "root/own_mount_namespace",
      [](sock::ContainerSpec& spec) { spec.namespaces.mount = sock::MountNamespace::own; });
  add(setting, "root/no_tmpfs", [](sock::ContainerSpec& spec) { spec.rootfs.tmpfs.clear(); });
  const auto unfiltered = sock::SeccompPolicy::none(sock::unsafe::AllowAllSyscalls{});
  add(setting, "seccomp/none",
      [unfiltered](sock::ContainerSpec& spec) { spec.seccomp = unfiltered; });
  for (const auto backend : {sock::CgroupBackend::hybrid, sock::CgroupBackend::v2,
                             sock::CgroupBackend::v1, sock::CgroupBackend::none})
    benchmark::RegisterBenchmark(("cgroups/" + std::string{to_string(backend)}).c_str(),
                                 time_backend, setting, backend)
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
}

}  // namespace bench
