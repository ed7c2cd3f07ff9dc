// From the start of a container to its first instruction, and to its being reaped; each beside the
// C reference and a bare process. The library's own stage times are reported as counters.

#include <ctime>
#include <map>

#include <fcntl.h>
#include <unistd.h>

#include <benchmark/benchmark.h>

#include "launch.hpp"

namespace bench {
namespace {

using benchmark::State;

double now_seconds() {
  return now_microseconds() / 1e6;
}

// Start to reaped, with the mean of each stage in microseconds.
void time_sock(State& state, const Setting& setting, sock::Init init) {
  sock::ContainerSpec spec = setting.root.spec("true");
  spec.init = init;
  std::map<sock::Stage, double> stages;
  for (auto _ : state) {
    spec.name = next_name();
    auto container = setting.host.create(spec);
    if (!container) return state.SkipWithError(container.error().message().c_str());
    if (const auto status = container->wait(); !status || !status->ok())
      return state.SkipWithError("the payload failed");
    for (const auto& [stage, elapsed] : container->timings())
      stages[stage] += static_cast<double>(elapsed.count()) / 1000;
  }
  for (const auto& [stage, microseconds] : stages)
    state.counters[std::string{to_string(stage)}] =
        benchmark::Counter{microseconds, benchmark::Counter::kAvgIterations};
}

void time_reference(State& state, const Setting& setting) {
  void* creator = reference_open_creator(setting.reference);
  if (creator == nullptr) return state.SkipWithError("no cgroup for the reference");
  for (auto _ : state)
    if (reference_live(creator) != 0) state.SkipWithError("see above");
  reference_close_creator(creator);
}

void time_bare(State& state, const Setting& setting) {
  const std::string program = setting.root.payload("true");
  for (auto _ : state)
    if (reference_bare(program.c_str(), -1) != 0) return state.SkipWithError("see above");
}

struct TimePipe {
  sock::UniqueFd reader;
  sock::UniqueFd writer;
};

TimePipe make_time_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  return {sock::UniqueFd{ends[0]}, sock::UniqueFd{ends[1]}};
}

// Runs a payload that writes its own start to the pipe, and books the time until then.
template <class Live>
void time_first_instruction(State& state, const TimePipe& pipe, Live live_once) {
  for (auto _ : state) {
    const double start = now_seconds();
    if (!live_once()) return state.SkipWithError("the payload did not run");
    timespec first{};
    if (::read(pipe.reader.get(), &first, sizeof first) != sizeof first)
      return state.SkipWithError("the payload wrote nothing");
    const double began =
        static_cast<double>(first.tv_sec) + static_cast<double>(first.tv_nsec) / 1e9;
    state.SetIterationTime(began - start);
  }
}

void first_of_sock(State& state, const Setting& setting, sock::Init init) {
  const TimePipe pipe = make_time_pipe();
  sock::ContainerSpec spec = setting.root.spec("now");
  spec.init = init;
  spec.stdio.out = pipe.writer;
  time_first_instruction(state, pipe, [&] { return live(setting.host, spec).empty(); });
}

void first_of_reference(State& state, const Setting& setting) {
  const TimePipe pipe = make_time_pipe();
  reference_host host = *setting.reference;  // borrows everything but these two
  host.program = "/bin/now";
  host.output = pipe.writer.get();
  void* creator = reference_open_creator(&host);
  if (creator == nullptr) return state.SkipWithError("no cgroup for the reference");
  time_first_instruction(state, pipe, [&] { return reference_live(creator) == 0; });
  reference_close_creator(creator);
}

void first_of_bare(State& state, const Setting& setting) {
  const TimePipe pipe = make_time_pipe();
  const std::string program = setting.root.payload("now");
  time_first_instruction(state, pipe,
                         [&] { return reference_bare(program.c_str(), pipe.writer.get()) == 0; });
}

template <class... Arguments>
benchmark::internal::Benchmark* add(const char* name, Arguments... arguments) {
  return benchmark::RegisterBenchmark(name, arguments...)
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

template <class... Arguments>
void add_first(const char* name, Arguments... arguments) {
  benchmark::RegisterBenchmark(name, arguments...)->Unit(benchmark::kMicrosecond)->UseManualTime();
}

}  // namespace

void register_latency(const Setting& setting) {
  add("reaped/bare_clone3_exec", time_bare, setting);
  add("reaped/sock", time_sock, setting, sock::Init::none);
  add("reaped/sock_with_init", time_sock, setting, sock::Init::reaper);
  add_first("first_instruction/bare_clone3_exec", first_of_bare, setting);
  add_first("first_instruction/sock", first_of_sock, setting, sock::Init::none);
  add_first("first_instruction/sock_with_init", first_of_sock, setting, sock::Init::reaper);
  if (setting.reference == nullptr) return;
  add("reaped/reference", time_reference, setting);
  add_first("first_instruction/reference", first_of_reference, setting);
}

}  // namespace bench
