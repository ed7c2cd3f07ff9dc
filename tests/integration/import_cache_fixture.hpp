#pragma once

// An import cache of a few small modules, requests to it, and what tending makes of the misses.

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include <poll.h>

#include "sock/import_cache.hpp"

#include "zygote_fixture.hpp"

namespace sock::test {

using Steps = std::vector<std::string>;

// Says which modules of the test were there before the payload's first statement.
inline constexpr const char* show_imported =
    "import sys\nprint(*sorted(m for m in sys.modules if m.startswith('mod_')), end='')";

class ImportCaches : public ZygoteTest {
 protected:
  void SetUp() override {
    ZygoteTest::SetUp();
    for (const char* name : {"mod_a", "mod_b", "mod_c"}) write_module(name, "");
  }

  [[nodiscard]] ImportCacheSpec cache_spec() {
    ImportCacheSpec spec{.domain = domain_spec("cache")};
    for (const char* name : {"mod_a", "mod_b", "mod_c", "mod_bad", "mod_big", "mod_large"})
      spec.paths[package(name)] = "/modules";
    return spec;
  }
  ImportCache open(const ImportCacheSpec& spec) {
    auto cache = host().open_import_cache(spec);
    EXPECT_TRUE(cache) << cache.error().message();
    return std::move(*cache);
  }
  static Package package(const std::string& module) {
    std::string name = module;
    std::ranges::replace(name, '_', '-');
    return {.name = name, .version = "1"};
  }
  static std::vector<Package> declare(std::initializer_list<const char*> modules) {
    std::vector<Package> all;
    for (const char* module : modules) all.push_back(package(module));
    return all;
  }
  /// In a root that has the modules.
  ContainerSpec request(const std::string& code) {
    ContainerSpec spec = command(code);
    spec.rootfs = domain_root();
    return spec;
  }

  struct Answer {
    std::string zygote;
    Origin origin = Origin::created;
    std::vector<Package> missing;
    std::string fallback;
    std::string out;
  };
  Answer ask(ImportCache& cache, std::initializer_list<const char*> modules,
             const std::string& code = show_imported, const std::string& name = "asked") {
    TestPipe out = make_pipe();
    ContainerSpec spec = request(code);
    spec.name = name;
    spec.stdio.out = out.writer;
    auto start = cache.fork(spec, declare(modules));
    out.writer.reset();
    if (!start) {
      ADD_FAILURE() << start.error().message();
      return {};
    }
    Answer answer{.zygote = start->zygote,
                  .origin = start->container.origin(),
                  .missing = start->missing,
                  .fallback = start->fallback,
                  .out = drain(out.reader)};
    const auto status = start->container.wait_until(in(std::chrono::seconds{20}));
    EXPECT_TRUE(status && *status && (*status)->ok());
    return answer;
  }
  static bool is_due(const ImportCache& cache) {
    pollfd due{.fd = cache.due().get(), .events = POLLIN, .revents = 0};
    return ::poll(&due, 1, 0) == 1;
  }
  /// Until nothing is due; "action zygote" of each step.
  static std::vector<std::string> tend(ImportCache& cache) {
    std::vector<std::string> steps;
    for (int i = 0; i < 50; ++i) {
      const auto tended = cache.tend();
      EXPECT_TRUE(tended) << tended.error().message();
      if (!tended || tended->action == Tended::Action::nothing) break;
      steps.push_back(std::string{to_string(tended->action)} + " " + tended->zygote);
    }
    return steps;
  }
  static CachedZygote zygote(const ImportCache& cache, const std::string& name) {
    for (const auto& zygote : cache.zygotes())
      if (zygote.name == name) return zygote;
    ADD_FAILURE() << "no node is called " << name;
    return {};
  }
};

}  // namespace sock::test
