// bench_launch: what it costs to start a container, by Google Benchmark. See README.md.

#include "launch.hpp"

#include <cstdio>

#include <benchmark/benchmark.h>

namespace bench {

std::string live(sock::Host& host, sock::ContainerSpec& spec) {
  spec.name = next_name();
  auto container = host.create(spec);
  if (!container) return container.error().message();
  const auto status = container->wait();
  if (!status) return status.error().message();
  return status->ok() ? "" : "the payload failed";
}

}  // namespace bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const bench::BenchRoot root;
  auto host = root.open_host(sock::CgroupBackend::automatic);
  if (!host) {
    std::fprintf(stderr, "bench_launch: %s\n", host.error().message().c_str());
    return 1;
  }
  reference_host reference;
  const bool can_refer = reference_open(&reference, root.rootfs().c_str(), "/bin/true") == 0;
  const bench::Setting setting{
      .root = root, .host = *host, .reference = can_refer ? &reference : nullptr};
  bench::register_latency(setting);
  bench::register_variants(setting);
  bench::register_rate(setting);
  bench::register_pause(setting);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  reference_close(&reference);
  return 0;
}
