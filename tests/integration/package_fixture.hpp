#pragma once

// A package cache, and packages that a shell leaves in /out.

#include <optional>
#include <string>

#include "host_fixture.hpp"

namespace sock::test {

class Packages : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    auto opened = PackageCache::open({.directory = scratch() + "/cache"});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    cache_.emplace(std::move(*opened));
  }

  PackageCache& cache() { return *cache_; }

  Result<CachedPackage> install(const std::string& script, const char* package = "demo==1.0") {
    InstallSpec spec{.container = shell(script), .package = Package::parse(package).value()};
    spec.container.name = "installer";
    return cache().install(host(), spec);
  }

  Outcome python(const PackagesInUse& packages, const std::string& program) {
    ContainerSpec spec = shell("");
    spec.argv = {"/usr/bin/python3", "-c", program};
    const auto declared = packages.declare(spec.rootfs, spec.env);
    EXPECT_TRUE(declared.has_value());
    return run(spec);
  }

 private:
  std::optional<PackageCache> cache_;
};

}  // namespace sock::test
