// The user of an image, looked up in the image's own files.

#include "image/user.hpp"

#include <gtest/gtest.h>

namespace sock::image {
namespace {

constexpr std::string_view passwd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "# a comment\n"
    "\n"
    "short:x\n"
    "app:x:1000:1001:App,,,:/srv:/bin/sh\n"
    "app:x:5000:5000:a second one::\n"
    "odd:x:twelve:12::\n"
    "highest:x:4294967295:0::\n"
    "42:x:1042:1042::\n"
    "end:x:7:8::";
constexpr std::string_view groups =
    "root:x:0:\n"
    "audio:x:29:app,other\n"
    "staff:x:50:application,app\n"
    "own:x:1001:app\n"
    "broken:x:many:app\n"
    "bare:x:77\n";

Identity of(std::string_view user) {
  const auto found = find_identity(user, passwd, groups);
  EXPECT_TRUE(found.has_value()) << user;
  return found.value_or(Identity{});
}

TEST(ImageUser, ByNumberNeedsNoFile) {
  const Identity found = find_identity("1234:56", "", "").value();
  EXPECT_EQ(found.uid, 1234U);
  EXPECT_EQ(found.gid, 56U);
  EXPECT_TRUE(found.groups.empty());
  EXPECT_EQ(find_identity("1234", "", "").value().gid, 0U);
}

TEST(ImageUser, ByNumberHasTheGroupOfItsLine) {
  EXPECT_EQ(of("1000").gid, 1001U);
  EXPECT_EQ(of("7").gid, 8U);  // The last line has no end.
  EXPECT_EQ(of("4711").gid, 0U);
}

TEST(ImageUser, ByNameHasItsGroups) {
  const Identity found = of("app");
  EXPECT_EQ(found.uid, 1000U);
  EXPECT_EQ(found.gid, 1001U);
  EXPECT_EQ(found.groups, (std::vector<gid_t>{29, 50}));
}

TEST(ImageUser, WithAGroupHasThatOneOnly) {
  const Identity named = of("app:staff");
  EXPECT_EQ(named.uid, 1000U);
  EXPECT_EQ(named.gid, 50U);
  EXPECT_TRUE(named.groups.empty());
  EXPECT_EQ(of("app:4").gid, 4U);
  EXPECT_EQ(of("0:bare").gid, 77U);
}

TEST(ImageUser, WhoseNameIsANumberIsThatNumber) {
  EXPECT_EQ(of("42").uid, 42U);
}

TEST(ImageUser, IsRefusedByNameWhenTheFilesDoNotHaveIt) {
  for (const auto* user : {"nobody", "short", "odd", "highest", "", " app", "app ", "-1", "+5",
                           "0x10", "4294967295", "4294967296", "99999999999999999999",
                           "app:", "app:none", "app:broken", "app:staff:x", ":0", "# a comment"}) {
    const auto found = find_identity(user, passwd, groups);
    ASSERT_FALSE(found.has_value()) << user;
    EXPECT_EQ(found.error().code, Errc::not_found) << user;
  }
}

TEST(ImageUser, HasABoundedNumberOfGroups) {
  std::string many;
  for (int gid = 1; gid <= 5000; ++gid) many += "g:x:" + std::to_string(gid) + ":app\n";
  EXPECT_EQ(find_identity("app", passwd, many).value().groups.size(), 64U);
}

}  // namespace
}  // namespace sock::image
