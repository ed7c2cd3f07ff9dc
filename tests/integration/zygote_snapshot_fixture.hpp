#pragma once

// A store of snapshots for each test, and zygotes in it.

#include <filesystem>
#include <fstream>
#include <optional>

#include "sock/checkpoint.hpp"

#include "zygote_fixture.hpp"

namespace sock::test {

class ZygoteSnapshots : public ZygoteTest {
 protected:
  void SetUp() override {
    ZygoteTest::SetUp();
    auto store = SnapshotStore::open({.directory = scratch() + "/snapshots"});
    ASSERT_TRUE(store.has_value()) << store.error().message();
    store_.emplace(std::move(*store));
  }

  Snapshot written(Zygote& zygote, const std::string& name = "kept") {
    auto snapshot = zygote.checkpoint(*store_, {.name = name});
    if (!snapshot.has_value()) throw std::runtime_error{snapshot.error().message()};
    return std::move(*snapshot);
  }
  Result<ZygoteDomain> try_restore(const std::string& name = "kept",
                                   const std::string& domain = "restored") {
    auto use = store_->use(name);
    if (!use.has_value()) return std::unexpected(use.error());
    return host().open_domain(*use, {.name = domain});
  }
  ZygoteDomain restored(const std::string& name = "kept", const std::string& domain = "restored") {
    auto opened = try_restore(name, domain);
    if (!opened.has_value()) throw std::runtime_error{opened.error().message()};
    return std::move(*opened);
  }
  /// A snapshot of a zygote that has imported `module`; its domain is gone afterwards.
  void write_down(const std::string& module, const std::string& code) {
    write_module(module, code);
    ZygoteDomain domain = open_domain();
    Zygote first = first_zygote(domain);
    Zygote zygote = grow(first, module);
    written(zygote);
  }

  /// A snapshot of a zygote that has mapped a file of this test's own; the path of that.
  std::string write_down_with_data() {
    const std::string data = modules() + "/data";
    std::filesystem::create_directories(modules());
    std::ofstream{data} << "before";
    write_down("mapped",
               "import mmap\nfile = open('/modules/data', 'rb')\n"
               "mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)\n");
    return data;
  }

  /// As command(), for what is forked without a domain.
  ContainerSpec created(const std::string& code) {
    ContainerSpec spec = command(code);
    if (!has_cgroups()) spec.init = Init::reaper;
    return spec;
  }

  std::optional<SnapshotStore> store_;
};

}  // namespace sock::test
