// Replays a workload over an import cache, for bench/import_cache.
//   usage: import_cache_replay --costs F --workload F (--tree F | --plan-for F --nodes N)
//            --packages DIR --functions N --clients N --python PROGRAM --state DIR --libexec DIR
//            [--shape flat]
// The tree is started ahead and does not grow. Each function is called once: forked, it imports
// what its zygote has not, and answers with a byte. Prints one line of JSON; calls that failed are
// counted there, and are in no other figure.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sock/sock.hpp"

#include "serve.h"

namespace {

using Arguments = std::map<std::string, std::string>;

template <class T>
T or_end(sock::Result<T> result) {
  if (!result.has_value()) {
    std::fprintf(stderr, "import_cache_replay: %s\n", result.error().message().c_str());
    std::exit(1);
  }
  return std::move(*result);
}

std::string content_of(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

struct Workload {
  sock::ImportCosts costs;
  std::vector<sock::WorkloadFunction> functions;
  sock::ImportTree tree;
};

/// The same zygotes, each a child of the root: nothing is imported once for several.
sock::ImportTree flattened(const sock::ImportTree& tree) {
  sock::ImportTree flat;
  for (const auto& [id, node] : tree.nodes()) {
    if (!node.parent.has_value()) continue;
    // The same order gives the same numbers; parents come first, and have all modules by then.
    auto modules = flat.find(*node.parent)->modules;
    modules.insert(modules.end(), node.modules.begin(), node.modules.end());
    or_end(flat.add({.name = node.name,
                     .parent = sock::ImportTree::root,
                     .packages = tree.imported(id),
                     .modules = std::move(modules)}));
  }
  return flat;
}

std::size_t depth_of(const sock::ImportTree& tree) {
  std::size_t deepest = 0;
  for (const auto& entry : tree.nodes()) deepest = std::max(deepest, tree.depth(entry.first));
  return deepest;
}

Workload read_workload(const Arguments& arguments) {
  Workload workload{
      .costs = or_end(sock::parse_import_costs(content_of(arguments.at("--costs")))),
      .functions = or_end(sock::parse_workload(content_of(arguments.at("--workload")))),
      .tree = {}};
  if (arguments.contains("--tree")) {
    workload.tree = or_end(sock::ImportTree::parse_openlambda(content_of(arguments.at("--tree"))));
  } else {
    const auto known = or_end(sock::parse_workload(content_of(arguments.at("--plan-for"))));
    workload.tree = or_end(sock::plan_import_tree(workload.costs, known,
                                                  {.nodes = std::stoul(arguments.at("--nodes"))}));
  }
  if (arguments.contains("--shape")) workload.tree = flattened(workload.tree);
  // Spread over the whole workload, so that a short run is a sample of the long one.
  const std::size_t wanted = std::stoul(arguments.at("--functions"));
  std::vector<sock::WorkloadFunction> chosen;
  const std::size_t all = workload.functions.size();
  for (std::size_t i = 0; i < std::min(wanted, all); ++i)
    chosen.push_back(workload.functions[i * all / std::min(wanted, all)]);
  for (auto& function : chosen) function.calls = 1;
  workload.functions = std::move(chosen);
  return workload;
}

/// All that the function declares and a zygote may have: in a real handler, the modules that it
/// names would import the others.
std::string code_of(const sock::WorkloadFunction& function, const sock::ImportCosts& costs) {
  std::string code;
  for (const auto& package : function.requirements)
    if (const auto cost = costs.find(package); cost != costs.end())
      for (const auto& module : cost->second.modules) code += "import " + module + "\n";
  return code + "import os\nos.write(1, b'x')\n";
}

/// Packages that take time to import.
struct Imports {
  std::size_t packages = 0;
  sock::ImportTime time{};
};

Imports imports_of(std::span<const sock::Package> packages, const sock::ImportCosts& costs) {
  Imports found;
  for (const auto& package : packages) {
    const auto cost = costs.find(package);
    if (cost == costs.end() || cost->second.time <= sock::ImportTime{}) continue;
    ++found.packages;
    found.time += cost->second.time;
  }
  return found;
}

/// Of a call that was served by a zygote, and answered rightly.
struct Answer {
  double milliseconds;
  Imports declared;
  Imports missing;  ///< Declared, but not imported in the zygote that served.
};

struct Replay {
  const Arguments& arguments;
  const Workload& workload;
  sock::ImportCache& cache;
  std::atomic<std::size_t> next = 0;
  /// By the number of the function; empty where its call failed.
  std::vector<std::optional<Answer>> answers =
      std::vector<std::optional<Answer>>(workload.functions.size());
};

std::optional<Answer> call(const Replay& replay, std::size_t number) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return {};
  const sock::UniqueFd reader{ends[0]};
  sock::UniqueFd writer{ends[1]};
  const auto& function = replay.workload.functions[number];
  sock::ContainerSpec spec{
      .name = "f" + std::to_string(number),
      .rootfs = {.base = std::string{sock::host_image}},
      .argv = {replay.arguments.at("--python"), "-c", code_of(function, replay.workload.costs)}};
  spec.rootfs.binds = {{.source = replay.arguments.at("--packages"), .target = "/packages"}};
  spec.init = sock::Init::none;
  spec.stdio.out = writer;
  const double begin = now_microseconds();
  auto start = replay.cache.fork(spec, function.requirements);
  writer.reset();
  if (!start.has_value()) {
    std::fprintf(stderr, "import_cache_replay: %s\n", start.error().message().c_str());
    return {};
  }
  char byte = 0;
  if (::read(reader.get(), &byte, 1) != 1) return {};
  const double milliseconds = (now_microseconds() - begin) / 1000;
  const auto status = start->container.wait();
  if (!status.has_value() || !status->ok() || byte != 'x' || !start->fallback.empty()) return {};
  return Answer{.milliseconds = milliseconds,
                .declared = imports_of(function.requirements, replay.workload.costs),
                .missing = imports_of(start->missing, replay.workload.costs)};
}

void serve_clients(Replay& replay, unsigned clients) {
  std::jthread tender{[&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd due{.fd = replay.cache.due().get(), .events = POLLIN, .revents = 0};
      if (::poll(&due, 1, 100) == 1) static_cast<void>(replay.cache.tend().has_value());
    }
  }};
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < clients; ++i)
    threads.emplace_back([&] {
      for (std::size_t number = replay.next++; number < replay.workload.functions.size();
           number = replay.next++)
        replay.answers[number] = call(replay, number);
    });
}

sock::ImportCache warm(sock::Host& host, const Arguments& arguments, const Workload& workload) {
  sock::ImportCacheSpec spec{.domain = {.name = "replay",
                                        .rootfs = {.base = std::string{sock::host_image},
                                                   .binds = {{.source = arguments.at("--packages"),
                                                              .target = "/packages"}}},
                                        .interpreter = {arguments.at("--python")},
                                        .resources = {.pids_max = 8192}},
                             .tree = workload.tree,
                             .start = sock::TreeStart::ahead,
                             .costs = workload.costs};
  for (const auto& [package, cost] : workload.costs)
    spec.paths[package] = "/packages/" + package.name + "/" + package.version;
  spec.growth.nodes_max = 1;
  spec.replicas_max = 1;
  spec.memory_max = std::uint64_t{1} << 40U;
  spec.recycling.forks_max = 1'000'000;
  auto cache = or_end(host.open_import_cache(std::move(spec)));
  while (or_end(cache.tend()).action != sock::Tended::Action::nothing) {
  }
  return cache;
}

struct Totals {
  std::size_t answered = 0;
  std::size_t all_imported = 0;      ///< Calls whose zygote lacked nothing that they declare,
  std::size_t nothing_imported = 0;  ///< and those whose zygote lacked all of it.
  sock::ImportTime declared{};
  sock::ImportTime missing{};
};

Totals totals_of(const std::vector<std::optional<Answer>>& answers) {
  Totals totals;
  for (const auto& answer : answers) {
    if (!answer.has_value()) continue;
    ++totals.answered;
    totals.declared += answer->declared.time;
    totals.missing += answer->missing.time;
    if (answer->missing.packages == 0)
      ++totals.all_imported;
    else if (answer->missing.packages == answer->declared.packages)
      ++totals.nothing_imported;
  }
  return totals;
}

/// The last members of the line.
void print_calls(const std::vector<std::optional<Answer>>& answers, const Totals& totals,
                 double seconds) {
  std::printf(
      "\"calls\": %zu, \"answered\": %zu, \"failures\": %zu, \"per_second\": %.2f, "
      "\"all_imported\": %zu, \"nothing_imported\": %zu, \"declared_ms\": %.1f, "
      "\"missing_ms\": %.1f, \"latencies_ms\": [",
      answers.size(), totals.answered, answers.size() - totals.answered,
      static_cast<double>(totals.answered) / seconds, totals.all_imported, totals.nothing_imported,
      totals.declared.count(), totals.missing.count());
  const char* separator = "";
  for (const auto& answer : answers) {
    if (!answer.has_value()) continue;
    std::printf("%s%.3f", separator, answer->milliseconds);
    separator = ", ";
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) arguments[argv[i]] = argv[i + 1];
  for (const char* name : {"--costs", "--workload", "--packages", "--functions", "--clients",
                           "--python", "--state", "--libexec"})
    if (!arguments.contains(name)) return std::fprintf(stderr, "missing %s\n", name), 2;
  const Workload workload = read_workload(arguments);
  auto host = or_end(
      sock::Host::open({.state_dir = arguments["--state"], .libexec_dir = arguments["--libexec"]}));
  const double begin = now_microseconds();
  auto cache = warm(host, arguments, workload);
  const double warmed = now_microseconds();
  Replay replay{.arguments = arguments, .workload = workload, .cache = cache};
  const auto memory = cache.stats().value_or(sock::Stats{}).memory_current.value_or(0);
  const double started = now_microseconds();
  serve_clients(replay, static_cast<unsigned>(std::stoul(arguments["--clients"])));
  const double seconds = (now_microseconds() - started) / 1e6;
  const auto living = std::ranges::count_if(cache.zygotes(),
                                            [](const auto& zygote) { return zygote.replicas > 0; });
  const Totals totals = totals_of(replay.answers);
  if (totals.answered == 0)
    return std::fprintf(stderr, "import_cache_replay: no call was answered\n"), 1;
  std::printf(
      "{\"nodes\": %zu, \"depth\": %zu, \"living\": %td, \"warm_seconds\": %.2f, "
      "\"memory\": %llu, ",
      workload.tree.nodes().size(), depth_of(workload.tree), living, (warmed - begin) / 1e6,
      static_cast<unsigned long long>(memory));
  print_calls(replay.answers, totals, seconds);
  return totals.answered == replay.answers.size() ? 0 : 1;
}
