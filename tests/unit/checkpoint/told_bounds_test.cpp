// Snapshots whose small files would be told at any length: one table of descriptors for all
// processes, one path for all mappings.

#include <chrono>
#include <climits>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>

#include <gtest/gtest.h>

#include "../temporary_directory.hpp"
#include "checkpoint/criu_processes.hpp"
#include "checkpoint/image_plan.hpp"
#include "checkpoint/process_image.hpp"
#include "checkpoint/snapshot_processes.hpp"
#include "criu_bytes.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

namespace fs = std::filesystem;
using Told = Result<std::vector<SnapshotProcess>>;
using wire::image::most_files;
using wire::image::most_mappings;
using wire::image::most_path_bytes;
using wire::image::most_specials;

constexpr std::uint64_t page = 4096;
constexpr std::size_t mib = 1U << 20U;

void expect_refused(const Told& told, const std::string& why) {
  ASSERT_FALSE(told.has_value()) << why;
  EXPECT_EQ(told.error().code, Errc::corrupt) << told.error().message();
  EXPECT_EQ(told.error().stage, Stage::checkpoint) << told.error().message();
  EXPECT_TRUE(told.error().hint.contains(why)) << told.error().message();
}

void write(const fs::path& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary} << bytes;
}

/// Those that all processes have alike, and the table of descriptors that they share.
struct Images {
  std::string core = image({text(3, text(6, "x"))});
  std::string memory = image({number(12, 0)});
  std::string table = image({});
};

class HostileSnapshot : public ::testing::Test {
 protected:
  /// What `count` processes have in common is on the disk once.
  Told told_container(unsigned count, const Images& images) const {
    const fs::path place = directory_.path() / std::to_string(count);
    fs::create_directory(place);
    std::vector<std::string> tree;
    for (unsigned pid = 1; pid <= count; ++pid) tree.push_back(number(1, pid) + number(2, 0));
    write(place / "pstree.img", image(tree));
    write(place / "files.img", image({}));
    write(place / "fdinfo-7.img", images.table);
    const std::vector<std::pair<std::string, std::string>> shared{
        {"core-", images.core},
        {"mm-", images.memory},
        {"pagemap-", image({number(1, 1)})},
        {"ids-", image({number(2, 7)})},
    };
    for (const auto& [start, bytes] : shared) {
      write(place / (start + "1.img"), bytes);
      for (unsigned pid = 2; pid <= count; ++pid)
        fs::create_hard_link(place / (start + "1.img"),
                             place / (start + std::to_string(pid) + ".img"));
    }
    return told_at(place, std::nullopt);
  }
  Told told_zygote(const std::string& plan) const {
    write(directory_.path() / plan_name, plan);
    return told_at(directory_.path(), ZygoteState{.runtime = Runtime::python,
                                                  .deadline = std::chrono::milliseconds{5},
                                                  .vdso = store::Digest::of("vdso")});
  }
  Told told_zygote(const ImagePlan& plan) const { return told_zygote(plan.to_bytes({})); }

 private:
  static Told told_at(const fs::path& place, const std::optional<ZygoteState>& zygote) {
    Manifest manifest{.spec = {.name = "web", .rootfs = {.base = "/srv"}, .argv = {"sh"}}};
    manifest.zygote = zygote;
    const UniqueFd images = sys::open(sys::cwd, place.string(), O_RDONLY | O_DIRECTORY).value();
    return processes_of(images, manifest);
  }

  sock::testing::TemporaryDirectory directory_;
};

TEST_F(HostileSnapshot, IsRefusedForOneTableOfDescriptorsOfAllItsProcesses) {
  constexpr unsigned each = 1U << 16U;
  std::vector<std::string> table;
  for (unsigned fd = 0; fd < each; ++fd)
    table.push_back(number(1, 1) + number(3, 1) + number(4, fd));
  const Images images{.table = image(table)};
  const auto most = told_container(16, images);
  ASSERT_TRUE(most.has_value()) << most.error().message();
  EXPECT_EQ(most->size(), 16U);
  EXPECT_EQ(most->back().descriptors.size(), each);
  expect_refused(told_container(17, images), "more than 1048576 descriptors");
}

TEST_F(HostileSnapshot, IsRefusedForTheMappingsOfAllItsProcesses) {
  constexpr unsigned each = 1U << 17U;
  std::string memory = number(12, 0);
  for (std::uint64_t area = 1; area <= each; ++area)
    memory +=
        text(14, number(1, area * page) + number(2, (area + 1) * page) + number(3, 0) +
                     number(4, 0) + number(5, 1) + number(6, 2) + number(7, 1) + number(8, 0));
  expect_refused(told_container(9, {.memory = image({memory})}), "more than 1048576 mappings");
}

TEST_F(HostileSnapshot, IsRefusedForTheNamesOfItsProcesses) {
  const Images images{.core = image({text(3, text(6, std::string(8 * mib, 'x')))})};
  expect_refused(told_container(9, images), "more than 67108864 bytes of names");
}

TEST_F(HostileSnapshot, IsRefusedForManyPipesInOneFile) {
  std::vector<std::string> files{number(1, 1) + number(2, 1) +
                                 text(3, text(6, std::string(PATH_MAX, 'x')))};
  for (unsigned id = 2; id < 2 + 64 * mib / PATH_MAX; ++id)
    files.push_back(number(1, 3) + number(2, id) + text(17, number(3, 1)));
  EXPECT_TRUE(parse_open_files(image(files), "files.img").has_value());
  files.push_back(number(1, 3) + number(2, 999'999) + text(17, number(3, 1)));
  const auto refused = parse_open_files(image(files), "files.img");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::corrupt);
}

/// As many mappings of one file.
ImagePlan plan_of(std::uint64_t mappings, const std::string& path = "/lib/libc.so.6") {
  ImagePlan plan;
  plan.specials = {{.begin = page, .size = page}};
  plan.files = {{.path = path, .size = 9, .mtime_s = 0, .mtime_ns = 0}};
  for (std::uint64_t at = 2; at < 2 + mappings; ++at)
    plan.mappings.push_back({.begin = at * page,
                             .size = page,
                             .offset = 0,
                             .file = 0,
                             .protection = PROT_READ,
                             .flags = 0});
  return plan;
}

TEST_F(HostileSnapshot, OfAZygoteHasNoMoreThanARestoreTakes) {
  const std::string why = "not what it should be";
  const auto most = told_zygote(plan_of(most_mappings));
  ASSERT_TRUE(most.has_value()) << most.error().message();
  EXPECT_EQ(most->front().mappings.size(), std::size_t{most_mappings} + 1);
  expect_refused(told_zygote(plan_of(most_mappings + 1)), why);

  ImagePlan plan = plan_of(1);
  plan.files.resize(most_files, plan.files.front());
  EXPECT_TRUE(told_zygote(plan).has_value());
  plan.files.push_back(plan.files.front());
  expect_refused(told_zygote(plan), why);

  plan = plan_of(1);
  plan.specials.resize(most_specials, plan.specials.front());
  EXPECT_TRUE(told_zygote(plan).has_value());
  plan.specials.push_back(plan.specials.front());
  expect_refused(told_zygote(plan), why);
  plan.specials.clear();
  expect_refused(told_zygote(plan), why);

  // The path's own NUL, and that of them all.
  EXPECT_TRUE(told_zygote(plan_of(1, std::string(most_path_bytes - 2, 'x'))).has_value());
  expect_refused(told_zygote(plan_of(1, std::string(most_path_bytes - 1, 'x'))), why);

  std::string bytes = plan_of(1).to_bytes({});
  bytes.back() = 'x';
  expect_refused(told_zygote(bytes), why);
}

TEST_F(HostileSnapshot, OfAZygoteIsRefusedForOneLongPathOfItsMappings) {
  const std::string path(most_path_bytes - 2, 'x');
  EXPECT_TRUE(told_zygote(plan_of(64, path)).has_value());
  expect_refused(told_zygote(plan_of(65, path)), "more than 67108864 bytes of names");
}

}  // namespace
}  // namespace sock::checkpoint
