// Snapshots of zygotes as files, and compared.

#include <sys/stat.h>

#include "zygote_snapshot_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

std::uint64_t blocks_of(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
  return static_cast<std::uint64_t>(st.st_blocks);
}

TEST_F(ZygoteSnapshots, GoToAnotherStoreWithTheirHoles) {
  // Written to, and zero again: a hole in the file of pages.
  write_down("holed",
             "held = bytearray(64 << 20)\nfor i in range(0, len(held), 4096): held[i] = 1\n"
             "for i in range(0, len(held), 4096): held[i] = 0\n");
  const std::string archive = scratch() + "/kept.tar";
  const auto saved = store_->save("kept", archive);
  ASSERT_TRUE(saved.has_value()) << saved.error().message();
  EXPECT_GT(store_->find("kept")->bytes, 64U << 20U);
  EXPECT_LT(fs::file_size(archive), 48U << 20U);
  auto other = SnapshotStore::open({.directory = scratch() + "/other"});
  ASSERT_TRUE(other.has_value());
  const auto added = other->add(archive, {.name = "came"});
  ASSERT_TRUE(added.has_value()) << added.error().message();
  EXPECT_EQ(added->kind, Snapshot::Kind::zygote);
  const std::uint64_t before = blocks_of(scratch() + "/snapshots/snapshots/kept/images/pages");
  const std::uint64_t after = blocks_of(scratch() + "/other/snapshots/came/images/pages");
  EXPECT_LE(after, before + 1024);
  auto used = other->use("came");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  auto domain = host().open_domain(*used, {.name = "restored"});
  ASSERT_TRUE(domain.has_value()) << domain.error().message();
  Zygote zygote = first_zygote(*domain);
  EXPECT_EQ(output_of(zygote, "import holed\nprint(len(holed.held), any(holed.held))"),
            "67108864 False\n");
}

TEST_F(ZygoteSnapshots, HaveMostOfTheirPagesInCommonWithThoseOfTheirChildren) {
  write_module("first", "held = list(range(50000))\n");
  write_module("second", "held = list(range(50000, 90000))\n");
  ZygoteDomain domain = open_domain();
  Zygote root = first_zygote(domain);
  Zygote first = grow(root, "first");
  Zygote second = grow(first, "second");
  written(first, "one");
  written(second, "two");
  const auto difference = store_->diff("one", "two");
  ASSERT_TRUE(difference.has_value()) << difference.error().message();
  EXPECT_TRUE(difference->fields.empty()) << difference->fields.front().name;
  ASSERT_EQ(difference->files.size(), 2U);
  EXPECT_EQ(difference->files[0].name, "images/pages");
  EXPECT_EQ(difference->files[0].common_pages, difference->pages.common);
  EXPECT_EQ(difference->files[1].name, "images/plan");
  EXPECT_FALSE(difference->files[1].common_pages.has_value());
  EXPECT_GT(difference->pages.common, difference->pages.before / 2);
  EXPECT_LT(difference->pages.common, difference->pages.after);
}

}  // namespace
}  // namespace sock::test
