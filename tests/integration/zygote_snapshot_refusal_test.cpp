// Snapshots of zygotes that cannot be written, or not restored: each is refused by name, and leaves
// nothing.

#include "zygote_snapshot_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

TEST_F(ZygoteSnapshots, AreRefusedWhenAFunctionBeforeFails) {
  write_module("unwilling",
               "from snapshot_restore_py import register_before_snapshot\n"
               "@register_before_snapshot\ndef before(): raise ValueError('not now')\n");
  ZygoteDomain domain = open_domain();
  Zygote first = first_zygote(domain);
  Zygote zygote = grow(first, "unwilling");
  const auto refused = zygote.checkpoint(*store_, {.name = "kept"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "ValueError: not now");
  EXPECT_TRUE(store_->list()->empty());
  EXPECT_EQ(output_of(zygote, "print('as before')"), "as before\n");
}

TEST_F(ZygoteSnapshots, AreNotRestoredWhenAFunctionAfterFails) {
  write_down("forgetful",
             "from snapshot_restore_py import register_after_restore\n"
             "@register_after_restore\ndef after(): raise ValueError('gone')\n");
  const auto refused = try_restore();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "ValueError: gone");
  EXPECT_EQ(refused.error().stage, Stage::restore);
}

TEST_F(ZygoteSnapshots, AreRefusedWhenAFileHasChangedSince) {
  const std::string data = write_down_with_data();
  { ZygoteDomain domain = restored(); }
  std::ofstream{data} << "after!";
  fs::last_write_time(data, fs::last_write_time(data) + 1s);
  const auto refused = try_restore();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().stage, Stage::restore);
  EXPECT_EQ(refused.error().subject, "changed since the snapshot: /modules/data");
}

TEST_F(ZygoteSnapshots, AreRefusedWhenAFileIsMissing) {
  const std::string data = write_down_with_data();
  fs::remove(data);
  const auto refused = try_restore();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "/modules/data");
  EXPECT_EQ(refused.error().sys_errno, ENOENT);
}

TEST_F(ZygoteSnapshots, DamagedAreRefusedBeforeAnythingStarts) {
  write_down("plain", "");
  const std::string images = scratch() + "/snapshots/snapshots/kept/images";
  for (const char* name : {"plan", "pages"}) {
    const std::string whole = content(fs::path{images} / name);
    std::string damaged = whole;
    damaged[damaged.size() / 2] ^= 1;
    std::ofstream{fs::path{images} / name, std::ios::binary} << damaged;
    const auto refused = try_restore();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::corrupt);
    EXPECT_NE(refused.error().hint.find(name), std::string::npos) << refused.error().message();
    std::ofstream{fs::path{images} / name, std::ios::binary} << whole;
  }
  restored();
}

TEST_F(ZygoteSnapshots, AreNoContainersAndTheOtherWayRound) {
  write_down("plain", "");
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  const auto refused = host().restore(*use, {.name = "box"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_spec);
}

TEST_F(ZygoteSnapshots, HaveNamesOfTheirOwn) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  written(zygote);
  const auto again = zygote.checkpoint(*store_, {.name = "kept"});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::exists);
  const auto strange = zygote.checkpoint(*store_, {.name = "../kept"});
  ASSERT_FALSE(strange.has_value());
  EXPECT_EQ(strange.error().code, Errc::invalid_spec);
}

TEST_F(ZygoteSnapshots, ThatCannotBeForkedLeaveNothing) {
  write_down("forgetful",
             "from snapshot_restore_py import register_after_restore\n"
             "@register_after_restore\ndef after(): raise ValueError('gone')\n");
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  const auto refused = [&](ContainerSpec spec) {
    auto container = host().fork(*use, spec);
    return container.has_value() ? Error{} : container.error();
  };
  EXPECT_EQ(refused(created("")).subject, "ValueError: gone");
  ContainerSpec elsewhere = created("");
  elsewhere.rootfs = {.base = scratch() + "/empty"};
  fs::create_directories(scratch() + "/empty");
  EXPECT_EQ(refused(elsewhere).sys_errno, ENOENT);
  ContainerSpec kept = created("");
  kept.checkpointable = true;
  EXPECT_EQ(refused(kept).code, Errc::invalid_spec);
  if (!has_cgroups()) return;
  ContainerSpec killed = created("");
  killed.resources.memory_max = 1U << 20U;
  EXPECT_NE(refused(killed).code, Errc{});
}

}  // namespace
}  // namespace sock::test
