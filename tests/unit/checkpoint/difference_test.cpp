// Manifests and pages compared; the order of archives.

#include <filesystem>

#include <fcntl.h>

#include <gtest/gtest.h>

#include "checkpoint/archive_items.hpp"
#include "checkpoint/manifest_difference.hpp"
#include "checkpoint/page_contents.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

using Field = SnapshotDifference::Field;
using File = SnapshotDifference::File;

SnapshotFile file_of(const std::string& name, const std::string& content) {
  return {.name = name, .bytes = content.size(), .digest = store::Digest::of(content)};
}

Manifest example() {
  Manifest manifest{.spec = {.name = "web", .rootfs = {.base = "/srv"}, .argv = {"sh"}}};
  manifest.origins = {"image:@sha256:1"};
  manifest.processes = 3;
  manifest.criu = "4.2.1";
  manifest.machine = {.kernel = "6.18", .architecture = "x86_64", .cpu_features = {"a", "b"}};
  manifest.lent = {{"stdout", "pipe:[7]"}};
  manifest.files = {file_of("core-1.img", "core"), file_of("pages-1.img", "pages")};
  return manifest;
}

std::vector<Field> fields(const Manifest& before, const Manifest& after) {
  const auto found = compare_documents(before.to_text(), after.to_text());
  EXPECT_TRUE(found.has_value());
  return found.value_or(std::vector<Field>{});
}

TEST(ManifestDifference, IsNoneBetweenSnapshotsOfTheSameAtAnotherTime) {
  Manifest later = example();
  later.created += std::chrono::hours{1};
  later.lent.front().key = "pipe:[8]";
  EXPECT_TRUE(fields(example(), later).empty());
}

TEST(ManifestDifference, IsRefusedOfWhatIsNoObject) {
  for (const char* const text : {"4", "[]", "\"x\"", "null", "", "{"}) {
    EXPECT_FALSE(compare_documents(text, "{}").has_value()) << text;
    EXPECT_FALSE(compare_documents("{}", text).has_value()) << text;
  }
}

TEST(ManifestDifference, NamesWhatIsSaidDifferently) {
  Manifest other = example();
  other.spec.argv = {"sh", "-c"};
  other.processes = 4;
  other.machine.cpu_features = {"b", "c"};
  other.origins.clear();
  other.lent.push_back({"fd:log", "pipe:[9]"});
  EXPECT_EQ(fields(example(), other),
            (std::vector<Field>{
                {"container.argv", R"(["sh"])", R"(["sh","-c"])"},
                {"lent", R"([{"role":"stdout"}])", R"([{"role":"stdout"},{"role":"fd:log"}])"},
                {"machine.cpu_features", R"(["a"])", R"(["c"])"},
                {"origins", R"(["image:@sha256:1"])", "[]"},
                {"processes", "3", "4"}}));
}

TEST(ManifestDifference, HasWhatOnlyOneOfThemSays) {
  Manifest zygote = example();
  zygote.zygote = ZygoteState{.runtime = Runtime::python,
                              .deadline = std::chrono::milliseconds{5},
                              .vdso = store::Digest::of("vdso")};
  const auto found = fields(example(), zygote);
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[0], (Field{"kind", R"("container")", R"("zygote")"}));
  EXPECT_EQ(found[1], (Field{"memory.copied", "[]", ""}));
  EXPECT_EQ(found[2], (Field{"zygote.deadline_ms", "", "5"}));
}

TEST(ManifestDifference, OfFilesIsWhatOneHasAloneAndWhatIsAnother) {
  Manifest other = example();
  other.files = {file_of("core-1.img", "core"), file_of("fs-1.img", "fs"),
                 file_of("pages-1.img", "other pages")};
  EXPECT_EQ(compare_files(example().files, other.files),
            (std::vector<File>{{.name = "images/fs-1.img", .after = 2},
                               {.name = "images/pages-1.img", .before = 5, .after = 11}}));
  EXPECT_EQ(compare_files(other.files, example().files).front(),
            (File{.name = "images/fs-1.img", .before = 2}));
  EXPECT_TRUE(compare_files(other.files, other.files).empty());
}

TEST(ManifestDifference, OfTreesHasPathsInTheContainer) {
  using store::TreeEntry;
  store::TreeRecord before;
  before.entries.emplace("", TreeEntry{.kind = TreeEntry::Kind::directory, .mode = 0755});
  store::TreeRecord after = before;
  before.entries.emplace("a/old", TreeEntry{.kind = TreeEntry::Kind::file, .size = 3});
  after.entries.emplace("a", TreeEntry{.kind = TreeEntry::Kind::directory});
  EXPECT_EQ(
      compare_trees("/tmp", before, after),
      (std::vector<File>{{.name = "/tmp/a", .after = 0}, {.name = "/tmp/a/old", .before = 3}}));
}

UniqueFd pages_of(const std::string& letters) {
  const auto directory =
      sys::open(sys::cwd, std::filesystem::temp_directory_path(), O_RDONLY | O_DIRECTORY);
  auto file = sys::open(*directory, ".", O_TMPFILE | O_RDWR, 0600);
  for (const char letter : letters)
    EXPECT_TRUE(sys::write_all(*file, std::string(4096, letter)).has_value());
  return std::move(*file);
}

TEST(PageContents, AreEqualWhereverTheyLie) {
  const auto count = [](const std::string& before, const std::string& after) {
    const auto first = read_pages(pages_of(before), before.size() * 4096);
    const auto second = read_pages(pages_of(after), after.size() * 4096);
    EXPECT_TRUE(first.has_value() && second.has_value());
    return count_common(*first, *second);
  };
  EXPECT_EQ(count("abc", "cab"), 3U);
  EXPECT_EQ(count("aab", "abb"), 2U);
  EXPECT_EQ(count("aaa", "a"), 1U);
  EXPECT_EQ(count("abc", ""), 0U);
  EXPECT_EQ(count(std::string(100, 'a') + "b", std::string(70, 'a')), 70U);
}

TEST(PageContents, OfAShorterFileAreRefused) {
  EXPECT_EQ(read_pages(pages_of("ab"), 8193).error().code, Errc::corrupt);
}

TEST(PageContents, AddUp) {
  PageContents pages{1, 5};
  add_pages(pages, {2, 5, 9});
  EXPECT_EQ(pages, (PageContents{1, 2, 5, 5, 9}));
  EXPECT_TRUE(holds_pages("pages") && holds_pages("pages-12.img"));
  EXPECT_FALSE(holds_pages("plan") || holds_pages("pagemap-12.img"));
}

TEST(ArchiveItems, FollowFromTheManifest) {
  using Kind = ArchiveItem::Kind;
  Manifest manifest = example();
  manifest.scratch = {{"/tmp", store::Digest::of("record")}};
  EXPECT_EQ(archive_items(manifest),
            (std::vector<ArchiveItem>{{Kind::directory, "images"},
                                      {Kind::image, "images/core-1.img", 0},
                                      {Kind::image, "images/pages-1.img", 1},
                                      {Kind::directory, "scratch"},
                                      {Kind::directory, "scratch/0"},
                                      {Kind::record, "scratch/0/record", 0},
                                      {Kind::tree, "scratch/0/tree", 0}}));
}

}  // namespace
}  // namespace sock::checkpoint
