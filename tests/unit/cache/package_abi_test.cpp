// What packages are built for.

#include "cache/package_abi.hpp"

#include <gtest/gtest.h>

namespace sock::cache {
namespace {

TEST(PackageAbi, ComesFromTheTagsOfAWheel) {
  const std::string machine = machine_name();
  const auto abi = [](const char* python, const char* interpreter, const std::string& platform) {
    return abi_of_tags({python, interpreter, platform}, "x.whl").value_or("refused");
  };
  EXPECT_EQ(abi("py3", "none", "any"), "none-any");
  EXPECT_EQ(abi("py2.py3", "none", "any"), "none-any");
  EXPECT_EQ(abi("cp311", "cp311", "manylinux_2_17_" + machine + ".manylinux2014_" + machine),
            "cp311-" + machine + "-linux-gnu");
  EXPECT_EQ(abi("cp37", "abi3", "linux_" + machine), "abi3-" + machine + "-linux-gnu");
  EXPECT_EQ(abi("py3", "none", "manylinux1_" + machine), "none-" + machine + "-linux-gnu");
  EXPECT_EQ(abi("cp311", "cp311", "musllinux_1_1_" + machine), "cp311-" + machine + "-linux-musl");
}

TEST(PackageAbi, IsRefusedForOtherMachinesAndInterpreters) {
  for (const auto& [python, interpreter, platform] :
       std::vector<std::tuple<const char*, const char*, const char*>>{
           {"py2", "none", "any"},
           {"pp39", "pypy39_pp73", "manylinux1_x86_64"},
           {"cp27", "cp27mu", "manylinux1_x86_64"},
           {"cp311", "cp311", "win_amd64"},
           {"cp311", "cp311", "macosx_11_0_arm64"},
           {"cp311", "cp311", "manylinux2014_s390x"},
           {"cp311", "cp311", "any"}}) {
    const auto abi = abi_of_tags({python, interpreter, platform}, "x.whl");
    ASSERT_FALSE(abi.has_value()) << python << interpreter << platform;
    EXPECT_EQ(abi.error().code, Errc::unsupported);
  }
}

store::TreeRecord with_files(std::initializer_list<const char*> paths) {
  store::TreeRecord record;
  for (const char* path : paths)
    record.entries.emplace(path, store::TreeEntry{.kind = store::TreeEntry::Kind::file});
  return record;
}

TEST(PackageAbi, ComesFromTheNamesOfExtensionModules) {
  const std::string machine = "-" + machine_name() + "-linux-gnu";
  EXPECT_EQ(abi_of_files(with_files({"site-packages/a.py"})).value(), "none-any");
  EXPECT_EQ(abi_of_files(
                with_files({"site-packages/a/_c.cpython-311-x86_64-linux-gnu.so", "lib/libx.so.1"}))
                .value(),
            "cp311" + machine);
  EXPECT_EQ(abi_of_files(with_files({"site-packages/_c.abi3.so"})).value(), "abi3" + machine);
  EXPECT_EQ(abi_of_files(with_files({"site-packages/libc.so"})).value(), "none" + machine);
  EXPECT_FALSE(abi_of_files(with_files({"a.cpython-310-x.so", "b.cpython-311-x.so"})).has_value());
}

TEST(PackageAbi, SuitsTheInterpretersItIsFor) {
  EXPECT_TRUE(suits("none-any", "3.9"));
  EXPECT_TRUE(suits("abi3-x86_64-linux-gnu", "3.9"));
  EXPECT_TRUE(suits("cp311-x86_64-linux-gnu", "3.11"));
  EXPECT_FALSE(suits("cp311-x86_64-linux-gnu", "3.1"));
  EXPECT_FALSE(suits("cp311-x86_64-linux-gnu", "3.12"));
}

}  // namespace
}  // namespace sock::cache
