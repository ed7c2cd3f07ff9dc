// Removing dead instances, and leaving everything else alone.

#include <atomic>
#include <thread>
#include <vector>

#include <sys/file.h>
#include <sys/stat.h>

#include "state/instance.hpp"
#include "state_dir.hpp"

namespace sock::testing {
namespace {

namespace fs = std::filesystem;

const std::string id = "00112233445566ff";

class Recovery : public StateDir {};

TEST_F(Recovery, FindsNothingInAMissingStateDirectory) {
  const auto removed = state::recover(path);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->hosts, 0U);
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Recovery, RemovesDeadInstancesWithTheirFiles) {
  make_dead(id);
  make_dead("aaaaaaaaaaaaaaaa", "/nowhere/sock-aaaaaaaaaaaaaaaa\n");
  std::ofstream{path / id / "later-file"};
  fs::create_directory(path / id / "containers");
  std::ofstream{path / id / "containers" / "c1"};
  const auto removed = state::recover(path);
  ASSERT_TRUE(removed) << removed.error().message();
  EXPECT_EQ(removed->hosts, 2U);
  EXPECT_EQ(removed->files, 6U);
  EXPECT_EQ(removed->cgroups, 0U);
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(Recovery, LeavesTheLivingAlone) {
  const auto living = state::Instance::create(path);
  ASSERT_TRUE(living);
  make_dead(id);
  const auto removed = state::recover(path);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->hosts, 1U);
  EXPECT_TRUE(fs::exists(path / living->id() / "lock"));
  const auto refused = state::remove_instance(open(), living->id());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::exists);
}

TEST_F(Recovery, LeavesWhatIsNoInstanceAlone) {
  make_dead(id);
  fs::create_directory(path / "images");
  fs::create_directory(path / "0011");
  std::ofstream{path / "aaaaaaaaaaaaaaaa"};  // The name of an instance, but a file.
  ASSERT_TRUE(state::recover(path));
  EXPECT_TRUE(fs::exists(path / "images"));
  EXPECT_TRUE(fs::exists(path / "0011"));
  EXPECT_TRUE(fs::exists(path / "aaaaaaaaaaaaaaaa"));
  EXPECT_FALSE(fs::exists(path / id));
}

TEST_F(Recovery, RemovesWhatAMakerLeftThatDiedHalfway) {
  make_dead(id);
  fs::remove(path / id / "lock");
  fs::remove(path / id / "cgroups");
  ASSERT_TRUE(state::recover(path));
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(Recovery, ReportsFilesWithoutALockInsteadOfGuessing) {
  make_dead(id);
  fs::remove(path / id / "lock");
  const auto removed = state::recover(path);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, Errc::corrupt);
  EXPECT_TRUE(fs::exists(path / id / "cgroups"));
}

TEST_F(Recovery, RefusesRecordsThatNameSomethingElse) {
  for (const std::string& record :
       {std::string{"/sys/fs/cgroup\n"}, "sock-" + id + "\n", "/x/../sock-" + id + "\n",
        "/x/sock-" + id + "/y\n", "/x/not-sock-" + id + "\n", std::string{"\n"},
        "/x\0/sock-" + id + "\n"}) {
    make_dead(id, record);
    const auto removed = state::recover(path);
    ASSERT_FALSE(removed) << record;
    EXPECT_EQ(removed.error().code, Errc::corrupt) << record;
    EXPECT_TRUE(fs::exists(path / id / "cgroups")) << "the record stays";
  }
}

TEST_F(Recovery, RefusesADirectoryThatIsNoCgroup) {
  const fs::path precious = parent / ("sock-" + id);
  fs::create_directories(precious / "inner");
  make_dead(id, precious.string() + "\n");
  EXPECT_FALSE(state::recover(path));
  EXPECT_TRUE(fs::exists(precious / "inner"));
}

TEST_F(Recovery, CleansTheOthersWhenOneIsCorrupt) {
  make_dead(id, "rubbish\n");
  make_dead("ffffffffffffffff");
  const auto removed = state::recover(path);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, Errc::corrupt);
  EXPECT_TRUE(fs::exists(path / id));
  EXPECT_FALSE(fs::exists(path / "ffffffffffffffff"));
}

TEST_F(Recovery, FollowsNoSymlinksAndOpensNoPipes) {
  std::ofstream{parent / "victim"} << "x";
  make_dead(id);
  fs::remove(path / id / "cgroups");
  fs::create_symlink(parent / "victim", path / id / "cgroups");
  EXPECT_EQ(state::recover(path).error().code, Errc::corrupt);

  fs::remove(path / id / "cgroups");
  ASSERT_EQ(::mkfifo((path / id / "cgroups").c_str(), 0600), 0);
  EXPECT_EQ(state::recover(path).error().code, Errc::corrupt);

  fs::remove(path / id / "cgroups");
  fs::create_symlink(parent / "victim", path / id / "link");
  fs::create_directory_symlink(parent, path / "bbbbbbbbbbbbbbbb");
  EXPECT_FALSE(state::recover(path)) << "an instance that is a symlink";
  EXPECT_FALSE(fs::exists(path / id));
  EXPECT_TRUE(fs::exists(parent / "victim"));
}

TEST_F(Recovery, KeepsTheLockWhenADirectoryIsInTheWay) {
  make_dead(id);
  fs::create_directory(path / id / "unknown");
  EXPECT_EQ(state::recover(path).error().code, Errc::corrupt);
  fs::remove(path / id / "unknown");
  ASSERT_TRUE(state::recover(path));
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(Recovery, RefusesNamesOfNoInstance) {
  make_dead(id);
  for (const std::string name : {"", ".", "..", "../state", "00112233445566FF", "images"})
    EXPECT_EQ(state::remove_instance(open(), name).error().code, Errc::corrupt) << name;
  const auto missing = state::remove_instance(open(), "eeeeeeeeeeeeeeee");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->hosts, 0U);
}

// Owners come and go while recoveries run: nobody fails, no living instance is taken, every dead
// one is removed exactly once.
TEST_F(Recovery, RunsBesideOthersAndBesideNewInstances) {
  constexpr int dead = 50;
  for (int number = 0; number < dead; ++number) {
    char name[17];
    std::snprintf(name, sizeof name, "%016x", number);
    make_dead(name);
  }
  std::atomic<std::size_t> removed = 0;
  const auto fail = [](const std::string& reason) { ADD_FAILURE() << reason; };
  std::atomic<int> makers = 2;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&] {
        do {
          const auto result = state::recover(path);
          if (!result) fail(result.error().message());
          removed += result ? result->hosts : 0;
        } while (makers > 0);
      });
      threads.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          const auto instance = state::Instance::create(path);
          if (!instance)
            fail(instance.error().message());
          else if (!fs::exists(path / instance->id() / "lock"))
            fail("taken from a living owner");
        }
        --makers;
      });
    }
  }
  EXPECT_GE(removed, std::size_t{dead});
  ASSERT_TRUE(state::recover(path));
  EXPECT_TRUE(fs::is_empty(path));
}

}  // namespace
}  // namespace sock::testing
