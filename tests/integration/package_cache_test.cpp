// Installers in containers of their own, and containers with what they have left.

#include <algorithm>

#include "package_fixture.hpp"

namespace sock::test {
namespace {

constexpr const char* install_demo =
    "echo 'value = 7' > /out/demo.py; mkdir /out/sub; umask 77; "
    "echo > /out/sub/more.py";

TEST_F(Packages, AreWhatAnInstallerLeavesInItsDirectory) {
  const auto installed = install(install_demo);
  ASSERT_TRUE(installed.has_value()) << installed.error().message();
  EXPECT_EQ(installed->package, (Package{"demo", "1.0"}));
  EXPECT_EQ(installed->kind, PackageSource::Kind::command);
  EXPECT_EQ(installed->abi, "none-any");
  const auto used = cache().use({.packages = {{.name = "demo"}}, .python = "3.11"});
  ASSERT_TRUE(used.has_value()) << used.error().message();
  const auto outcome = python(*used, "import demo, sub.more; print(demo.value)");
  EXPECT_EQ(outcome.out, "7\n") << outcome.err;
  EXPECT_TRUE(cache().verify(*installed).value().ok());
}

TEST_F(Packages, OfAnInstallerThatFailsAreNotThere) {
  const auto failed = install("echo x > /out/demo.py; exit 3");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::launch_failed) << failed.error().message();
  InstallSpec slow{.container = shell("while :; do :; done"),
                   .package = Package{"demo", "1.0"},
                   .deadline = std::chrono::milliseconds{200}};
  const auto late = cache().install(host(), slow);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Errc::timed_out);
  EXPECT_FALSE(install(install_demo, "demo").has_value()) << "it has no version";
  EXPECT_TRUE(cache().list().value().empty());
  const auto garbage = cache().gc().value();
  EXPECT_EQ(garbage.trees + garbage.unfinished, 0U) << "nothing is left of them";
}

TEST_F(Packages, ComeFromAnInstallerThatHasNoNetworkAndWritesNowhereElse) {
  const auto installed = install(
      "echo 'x = 1' > /out/demo.py; (echo > /usr/x || echo > /packages || echo > /etc/x) "
      "2>/dev/null "
      "&& exit 9; grep -v '^Iface' /proc/net/route && exit 8; exit 0");
  EXPECT_TRUE(installed.has_value()) << installed.error().message();
}

TEST_F(Packages, InUseOutliveTheirRemovalAndGarbageCollection) {
  const auto installed = install(install_demo);
  ASSERT_TRUE(installed.has_value()) << installed.error().message();
  {
    const auto used = cache().use({.packages = {installed->package}, .python = "3.11"});
    ASSERT_TRUE(cache().remove(*installed).has_value());
    EXPECT_EQ(cache().gc().value().in_use, 1U);
    EXPECT_EQ(python(*used, "import demo; print(demo.value)").out, "7\n");
    EXPECT_EQ(cache().use({.packages = {installed->package}, .python = "3.11"}).error().code,
              Errc::not_found);
  }
  EXPECT_EQ(cache().gc().value().trees, 1U);
}

TEST_F(Packages, StandBeforeThoseOfTheEnvironmentAndHideThoseOfTheBase) {
  ASSERT_TRUE(install(install_demo).has_value());
  const auto used = cache().use({.packages = {{.name = "demo"}}, .python = "3.11"});
  ASSERT_TRUE(used.has_value());
  Rootfs rootfs{.base = std::string{host_image}};
  std::vector<std::string> env{"A=b", "PYTHONPATH=/mine"};
  ASSERT_TRUE(used->declare(rootfs, env).has_value());
  EXPECT_EQ(env,
            (std::vector<std::string>{"A=b", "PYTHONPATH=/packages/demo/1.0/site-packages:/mine"}));
  const auto hidden = std::ranges::count_if(
      rootfs.binds, [](const Bind& bind) { return bind.source.ends_with("/empty"); });
  EXPECT_GE(hidden, 1);
  Rootfs other{.base = std::string{host_image}};
  ASSERT_TRUE(used->declare(other, env, BasePackages::visible).has_value());
  EXPECT_EQ(other.binds.size(), 1U);
}

TEST_F(Packages, TellTheirModules) {
  const auto installed = install(
      "cd /out; mkdir whole part _own; : > whole/__init__.py; : > "
      "_own/__init__.py; "
      "for f in one.py two.so three.cpython-311-x86_64-linux-gnu.so four.abi3.so _five.py no.txt "
      "6.py; do : > $f; done");
  ASSERT_TRUE(installed.has_value()) << installed.error().message();
  const auto used = cache().use({.packages = {installed->package}, .python = "3.11"});
  ASSERT_TRUE(used.has_value()) << used.error().message();
  const auto modules = used->modules(used->packages().front());
  ASSERT_TRUE(modules.has_value()) << modules.error().message();
  EXPECT_EQ(*modules, (std::vector<std::string>{"four", "one", "three", "two", "whole"}));
}

}  // namespace
}  // namespace sock::test
