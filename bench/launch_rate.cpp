// Containers per second (items_per_second) with 1, 2, 8 and 16 creating threads.

#include <benchmark/benchmark.h>

#include "launch.hpp"

namespace bench {
namespace {

void create_with_sock(benchmark::State& state, const Setting& setting) {
  sock::ContainerSpec spec = setting.root.spec("true");
  for (auto _ : state)
    if (const std::string problem = live(setting.host, spec); !problem.empty()) {
      state.SkipWithError(problem.c_str());
      break;
    }
  state.SetItemsProcessed(state.iterations());
}

void create_with_reference(benchmark::State& state, const Setting& setting) {
  void* creator = reference_open_creator(setting.reference);
  if (creator == nullptr) state.SkipWithError("no cgroup for the reference");
  for (auto _ : state)
    if (reference_live(creator) != 0) {
      state.SkipWithError("see above");
      break;
    }
  state.SetItemsProcessed(state.iterations());
  if (creator != nullptr) reference_close_creator(creator);
}

template <class Body>
void add(const char* name, Body body, const Setting& setting) {
  auto* rate = benchmark::RegisterBenchmark(name, body, setting);
  rate->Unit(benchmark::kMicrosecond)->UseRealTime();
  for (const int creators : {1, 2, 8, 16}) rate->Threads(creators);
}

}  // namespace

void register_rate(const Setting& setting) {
  add("rate/sock", create_with_sock, setting);
  if (setting.reference != nullptr) add("rate/reference", create_with_reference, setting);
}

}  // namespace bench
