// Images of another user.

#include "checkpoint/criu_owners.hpp"

#include <gtest/gtest.h>

#include "criu_bytes.hpp"

namespace sock::checkpoint {
namespace {

const UserChange change{
    .earlier_uid = 1000, .earlier_gid = 1001, .uid = 70000, .gid = 70001, .groups = {5, 6}};

std::string numbers(const std::vector<std::uint64_t>& values, unsigned first = 1) {
  std::string bytes;
  for (const auto value : values) bytes += number(first++, value);
  return bytes;
}

// Eight ids; capabilities and secure bits follow, and groups.
std::string core(const std::vector<std::uint64_t>& ids, const std::vector<std::uint64_t>& groups) {
  std::string credentials = numbers(ids) + number(9, 77) + number(13, 3);
  for (const auto group : groups) credentials += number(14, group);
  credentials += text(15, "profile");
  const std::string thread = number(1, 0) + number(2, 0) + text(10, credentials) + text(13, "name");
  return image({number(1, 1) + text(3, "task") + text(5, thread)});
}

// What is not known of a message comes behind what is.
std::string packed_core(const std::vector<std::uint64_t>& ids,
                        const std::vector<std::uint64_t>& groups) {
  std::string credentials = numbers(ids);
  for (const auto group : groups) credentials += number(14, group);
  credentials += number(9, 77) + number(13, 3) + text(15, "profile");
  const std::string thread = text(10, credentials) + number(1, 0) + number(2, 0) + text(13, "name");
  return image({text(5, thread) + number(1, 1) + text(3, "task")});
}

TEST(CriuOwners, AreOfThreads) {
  const auto changed = change_owners(
      "core-1.img", core({1000, 1001, 1000, 1001, 1000, 1001, 1000, 1001}, {9}), change);
  ASSERT_TRUE(changed.has_value()) << changed.error().message();
  EXPECT_EQ(*changed,
            packed_core({70000, 70001, 70000, 70001, 70000, 70001, 70000, 70001}, {5, 6}));
}

TEST(CriuOwners, LeaveOtherIdsAlone) {
  const auto mixed =
      change_owners("core-1.img", core({0, 1001, 1000, 4, 1000, 1001, 0, 1001}, {9, 10}), change);
  ASSERT_TRUE(mixed.has_value()) << mixed.error().message();
  EXPECT_EQ(*mixed, packed_core({0, 70001, 70000, 4, 70000, 70001, 0, 70001}, {9, 10}));
}

TEST(CriuOwners, AreMissingOfAProcessThatHasEnded) {
  const std::string zombie = image({number(1, 1) + text(3, "task")});
  EXPECT_EQ(change_owners("core-1.img", zombie, change).value(), zombie);
}

TEST(CriuOwners, AreOfSocketsAndOfThoseWhoAreSignalled) {
  const auto owner = [](std::uint64_t id) { return numbers({id, id, 29, 1, 7}); };
  const auto files = [&](std::uint64_t uid, std::uint64_t gid) {
    return image(
        {text(3, text(5, owner(uid)) + text(6, "/etc/hosts")) + number(1, 1),
         text(18, text(4, owner(uid)) + number(1, 3)) + number(1, 2),
         text(16, text(9, owner(uid)) + text(13, numbers({0600, uid, gid})) + text(11, "/run/x")) +
             number(1, 5),
         text(20, text(4, owner(uid)) + number(1, 3)) + number(1, 18),
         number(1, 99) + text(30, "what nobody knows")});
  };
  const auto changed = change_owners("files.img", files(1000, 1001), change);
  ASSERT_TRUE(changed.has_value()) << changed.error().message();
  EXPECT_EQ(*changed, files(70000, 70001));
  EXPECT_EQ(change_owners("files.img", files(3, 4), change).value(), files(3, 4));
}

TEST(CriuOwners, AreOfMemoryFilesAndDeletedFiles) {
  const auto memory = [](std::uint64_t uid, std::uint64_t gid) {
    return image({numbers({uid, gid}, 2) + text(1, "scratch")});
  };
  EXPECT_EQ(change_owners("memfd.img", memory(1000, 1001), change).value(), memory(70000, 70001));
  const std::string content = "content, which is no message";
  const auto deleted = [](std::uint64_t uid, std::uint64_t gid) {
    return image({numbers({uid, gid, 0600})});
  };
  EXPECT_EQ(change_owners("ghost-file-1.img", deleted(1000, 1001) + content, change).value(),
            deleted(70000, 70001) + content);
}

TEST(CriuOwners, OfSystemVAreRefused) {
  EXPECT_EQ(change_owners("ipcns-shm-9.img", image({}), change).value(), image({}));
  const auto refused = change_owners("ipcns-shm-9.img", image({"some"}) + "raw", change);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST(CriuOwners, AreReadWithCare) {
  for (const char* const name : {"core-1.img", "files.img", "memfd.img", "ghost-file-1.img"}) {
    EXPECT_TRUE(has_owners(name)) << name;
    for (const std::string& damaged :
         {std::string{}, std::string{"short"}, image({"\xff\xff"}), image({"x"}).substr(0, 12)}) {
      const auto changed = change_owners(name, damaged, change);
      ASSERT_FALSE(changed.has_value()) << name;
      EXPECT_EQ(changed.error().code, Errc::corrupt);
      EXPECT_EQ(changed.error().subject, name);
    }
  }
  for (const char* const name :
       {"mm-1.img", "pages-1.img", "memory-1", "inventory.img", "ipcns-var-1.img"})
    EXPECT_FALSE(has_owners(name)) << name;
}

}  // namespace
}  // namespace sock::checkpoint
