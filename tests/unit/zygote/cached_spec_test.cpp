// What an import cache makes of a request's spec.

#include "zygote/cached_spec.hpp"

#include <algorithm>

#include "trees.hpp"

namespace sock::zygote {
namespace {

using sock::testing::package;
using sock::testing::packages;

const std::map<Package, std::string> paths{{package("numpy==1"), "/packages/numpy-1"},
                                           {package("pandas==2"), "/packages/pandas-2"}};

ContainerSpec python(std::vector<std::string> arguments) {
  ContainerSpec spec{.name = "c", .rootfs = {.base = "host"}, .argv = {"python"}};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  return spec;
}

const ZygoteDomainSpec domain{
    .name = "d",
    .rootfs = {.base = "host"},
    .interpreter = {"python3.11", "-X", "utf8"},
    .user = UserNamespace{.uids = {{0, 1000, 10}}, .gids = {{0, 1000, 10}}}};

TEST(CachedSpec, PutsDeclaredPackagesOnTheSearchPath) {
  const auto spec = python({"-c", "pass"});
  EXPECT_EQ(with_packages(spec, packages({"numpy==1", "pandas==2", "elsewhere==1"}), paths).env,
            std::vector<std::string>{"PYTHONPATH=/packages/numpy-1:/packages/pandas-2"});
  EXPECT_EQ(with_packages(spec, packages({"numpy==2"}), paths).env, std::vector<std::string>{});
}

TEST(CachedSpec, AddsToTheSearchPathThatIsThere) {
  auto spec = python({"-c", "pass"});
  spec.env = {"A=b", "PYTHONPATH=/handler"};
  EXPECT_EQ(with_packages(spec, packages({"numpy==1"}), paths).env,
            (std::vector<std::string>{"A=b", "PYTHONPATH=/handler:/packages/numpy-1"}));
  spec.env = {"PYTHONPATH="};
  EXPECT_EQ(with_packages(spec, packages({"numpy==1"}), paths).env,
            std::vector<std::string>{"PYTHONPATH=/packages/numpy-1"});
}

TEST(CachedSpec, CreatesWithTheDomainsInterpreterAndIds) {
  const auto created = as_created(python({"-c", "pass"}), domain, "/opt/sock/python");
  EXPECT_EQ(created.argv, (std::vector<std::string>{"python3.11", "-X", "utf8", "-c", "pass"}));
  EXPECT_EQ(created.namespaces.user, domain.user);
  EXPECT_TRUE(created.rootfs.binds.empty());
}

TEST(CachedSpec, GivesAFreshInterpreterTheHandlersRuntime) {
  const auto created =
      as_created(python({"-m", "sock_handler", "m:f"}), domain, "/opt/sock/python");
  EXPECT_EQ(created.rootfs.binds, (std::vector<Bind>{{"/opt/sock/python", "/sock"}}));
  EXPECT_TRUE(std::ranges::find(created.env, "PYTHONPATH=/sock") != created.env.end());
}

TEST(CachedSpec, FindsTheInterpreterWithoutAPathInTheEnvironment) {
  auto spec = python({});
  EXPECT_EQ(as_created(spec, domain, "/r").env.back(), "PATH=/usr/local/bin:/usr/bin:/bin");
  spec.env = {"PATH=/opt"};
  EXPECT_EQ(as_created(spec, domain, "/r").env, std::vector<std::string>{"PATH=/opt"});
}

}  // namespace
}  // namespace sock::zygote
