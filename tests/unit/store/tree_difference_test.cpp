// Records compared.

#include "store/tree_difference.hpp"

#include <gtest/gtest.h>

namespace sock::store {
namespace {

using Kind = TreeEntry::Kind;

TreeRecord example() {
  TreeRecord record;
  record.entries = {
      {"", {.kind = Kind::directory, .mode = 0755, .mtime = {.tv_sec = 1, .tv_nsec = 2}}},
      {"a", {.kind = Kind::file, .mode = 0644, .size = 3, .group = 1, .content = "abc"}},
      {"b", {.kind = Kind::file, .mode = 0644, .size = 3, .group = 1, .content = "abc"}},
      {"c", {.kind = Kind::file, .mode = 0644, .size = 3, .group = 2, .content = "abc"}},
      {"d", {.kind = Kind::file, .mode = 0644, .size = 3, .group = 2, .content = "abc"}},
      {"link", {.kind = Kind::symlink, .mode = 0777, .target = "a"}}};
  return record;
}

TEST(TreeDifference, IsNoneWhereOnlyTheNumbersOfLinksDiffer) {
  TreeRecord other = example();
  for (auto& [path, entry] : other.entries)
    if (entry.group != 0) entry.group = 7 - entry.group;
  EXPECT_EQ(find_difference(example(), other), std::nullopt);
}

TEST(TreeDifference, FindsLinksThatAreOthers) {
  TreeRecord other = example();
  for (auto& [path, entry] : other.entries)
    if (entry.group != 0) entry.group = 1;
  EXPECT_EQ(find_difference(example(), other), "c");
  other = example();
  other.entries["d"].group = 0;
  EXPECT_EQ(find_difference(example(), other), "d");
}

TEST(TreeDifference, FindsWhateverElseIsNotTheSame) {
  const auto change = [](auto&& how) {
    TreeRecord other = example();
    how(other);
    return find_difference(example(), other);
  };
  EXPECT_EQ(change([](TreeRecord& r) { r.entries["a"].content = "abd"; }), "a");
  EXPECT_EQ(change([](TreeRecord& r) { r.entries["a"].mode = 04755; }), "a");
  EXPECT_EQ(change([](TreeRecord& r) { r.entries["b"].uid = 1; }), "b");
  EXPECT_EQ(change([](TreeRecord& r) { r.entries["link"].target = "/"; }), "link");
  EXPECT_EQ(change([](TreeRecord& r) { r.entries[""].mtime.tv_nsec = 3; }), "");
  EXPECT_EQ(change([](TreeRecord& r) { r.entries.erase("link"); }), "link");
  EXPECT_EQ(change([](TreeRecord& r) { r.entries.emplace("z", TreeEntry{.kind = Kind::fifo}); }),
            "z");
  EXPECT_EQ(change([](TreeRecord& r) { r.whiteouts.emplace_back("x"); }), "");
  EXPECT_EQ(change([](TreeRecord& r) {
              r.entries["c"].xattrs.push_back({.name = "user.x", .value = "y"});
            }),
            "c");
}

TEST(TreeDifference, OfEntriesLeavesOutTheTimesOfDirectories) {
  const TreeRecord record = example();
  TreeEntry directory = record.entries.at("");
  directory.mtime.tv_sec = 9;
  EXPECT_TRUE(is_same(directory, record.entries.at("")));
  TreeEntry file = record.entries.at("a");
  file.mtime.tv_sec = 9;
  EXPECT_FALSE(is_same(file, record.entries.at("a")));
}

}  // namespace
}  // namespace sock::store
