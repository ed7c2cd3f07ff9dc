// Making instances, and the refusals of state directories that are not safe.

#include "state/instance.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state_dir.hpp"

namespace sock::testing {
namespace {

namespace fs = std::filesystem;

class Instance : public StateDir {};

std::string content(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST_F(Instance, MakesThePrivateStateDirectoryAndItsOwn) {
  const auto instance = state::Instance::create(path);
  ASSERT_TRUE(instance) << instance.error().message();
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(path / instance->id()).permissions(), fs::perms::owner_all);
  EXPECT_TRUE(fs::exists(path / instance->id() / "lock"));
  EXPECT_EQ(instance->id().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
            std::string::npos);
  EXPECT_TRUE(sys::status_at(instance->directory(), "lock"));
}

TEST_F(Instance, LeavesNothingBehindWhenItEnds) {
  {
    auto instance = state::Instance::create(path);
    ASSERT_TRUE(instance);
    const std::vector<std::string> gone{(parent / ("sock-" + instance->id())).string()};
    ASSERT_TRUE(instance->record_cgroups(gone));
    fs::create_directory(path / instance->id() / "containers");
    std::ofstream{path / instance->id() / "containers" / "c1"};
  }
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(Instance, RecordsCgroupsOneALineAndAgain) {
  auto instance = state::Instance::create(path);
  ASSERT_TRUE(instance);
  const std::vector<std::string> first{"/nowhere/sock-x"};
  const std::vector<std::string> second{"/nowhere/a/sock-" + instance->id(),
                                        "/nowhere/b/sock-" + instance->id()};
  ASSERT_TRUE(instance->record_cgroups(first));
  ASSERT_TRUE(instance->record_cgroups(second));
  EXPECT_EQ(content(path / instance->id() / "cgroups"), second[0] + "\n" + second[1] + "\n");
}

TEST_F(Instance, SharesAStateDirectoryWithOthers) {
  const auto one = state::Instance::create(path);
  const auto two = state::Instance::create(path);
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->id(), two->id());
}

TEST_F(Instance, IsNotRemovedByTheEndOfAForkedCopy) {
  auto instance = state::Instance::create(path);
  ASSERT_TRUE(instance);
  const pid_t child = ::fork();
  if (child == 0) {
    { const state::Instance copy = std::move(*instance); }
    _exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(fs::exists(path / instance->id() / "lock"));
}

TEST_F(Instance, RefusesASymlinkedStateDirectory) {
  fs::create_directory(parent / "elsewhere");
  fs::create_directory_symlink(parent / "elsewhere", path);
  for (const std::string& name : {path.string(), path.string() + "/"}) {
    const auto instance = state::Instance::create(name);
    ASSERT_FALSE(instance);
    EXPECT_EQ(instance.error().code, Errc::denied);
    EXPECT_EQ(instance.error().stage, Stage::state);
    EXPECT_NE(instance.error().message().find("symlink"), std::string::npos);
  }
  EXPECT_TRUE(fs::is_empty(parent / "elsewhere"));
}

TEST_F(Instance, RefusesADanglingSymlink) {
  fs::create_directory_symlink(parent / "missing", path);
  EXPECT_FALSE(state::Instance::create(path));
  EXPECT_FALSE(fs::exists(parent / "missing"));
}

TEST_F(Instance, RefusesAStateDirectoryThatOthersMayWriteTo) {
  for (const mode_t mode : {0720U, 0702U, 01777U}) {
    fs::remove(path);
    fs::create_directory(path);
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto instance = state::Instance::create(path);
    ASSERT_FALSE(instance);
    EXPECT_EQ(instance.error().code, Errc::denied);
    EXPECT_NE(instance.error().hint.find("chmod"), std::string::npos);
    EXPECT_FALSE(state::recover(path));
  }
}

TEST_F(Instance, RefusesAStateDirectoryOfSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give a directory away";
  fs::create_directory(path);
  ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
  ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  const auto instance = state::Instance::create(path);
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, Errc::denied);
}

TEST_F(Instance, MakesNoParentsAndSaysSo) {
  const auto instance = state::Instance::create(path / "deeper");
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, Errc::not_found);
  EXPECT_FALSE(instance.error().hint.empty());
}

TEST_F(Instance, RefusesAnEmptyPathAndAFile) {
  EXPECT_EQ(state::Instance::create("").error().code, Errc::invalid_spec);
  std::ofstream{path};
  EXPECT_EQ(state::Instance::create(path).error().code, Errc::denied);
}

}  // namespace
}  // namespace sock::testing
