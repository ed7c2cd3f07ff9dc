// What a process has used of `pages`, and that it is what is fetched: with this process's own
// memory, on a file on a disk.

#include "checkpoint/working_set.hpp"

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "checkpoint/image_plan.hpp"
#include "checkpoint/process_image.hpp"
#include "sys/file.hpp"
#include "sys/page_cache.hpp"

namespace sock::checkpoint {
namespace {

namespace fs = std::filesystem;
namespace image = wire::image;
using loader::ByteRange;
using Ranges = std::vector<ByteRange>;

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t mib = 1U << 20U;

TEST(WorkingSets, AreFewRanges) {
  EXPECT_EQ(joined({}), Ranges{});
  EXPECT_EQ(joined({{8 * mib, page}, {0, page}, {page, page}}),
            (Ranges{{0, 2 * page}, {8 * mib, page}}));
  // What lies between is read too where that is little.
  EXPECT_EQ(joined({{0, page}, {16 * page, page}}), (Ranges{{0, 17 * page}}));
  EXPECT_EQ(joined({{0, page}, {18 * page, page}}), (Ranges{{0, page}, {18 * page, page}}));
  // One within another.
  EXPECT_EQ(joined({{0, mib}, {page, page}, {mib, page}}), (Ranges{{0, mib + page}}));
}

TEST(WorkingSets, AreNotReadFromPlansThatAreDamaged) {
  ImagePlan plan;
  plan.mappings = {{.begin = page,
                    .size = page,
                    .offset = 0,
                    .file = image::pages,
                    .protection = PROT_READ,
                    .flags = 0}};
  const std::string whole = plan.to_bytes({});
  ASSERT_TRUE(mappings_in(whole).has_value());
  EXPECT_EQ(mappings_in(whole)->size(), 1U);
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, sizeof(image::Header)})
    EXPECT_FALSE(mappings_in(whole.substr(0, size)).has_value()) << size;
  std::string other = whole;
  other[0] ^= 1;
  EXPECT_FALSE(mappings_in(other).has_value());
}

class WorkingSetOnDisk : public testing::Test {
 protected:
  static constexpr std::uint64_t size = 16 * mib;
  static constexpr std::uint64_t copied = 12 * mib;  // Where one is that is read into memory.

  void SetUp() override {
    std::string pattern = testing::TempDir() + "sock-working-set-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    directory_ = sys::open(sys::cwd, path_.string(), O_RDONLY | O_DIRECTORY).value();
    pages_ = sys::open(directory_, pages_name, O_RDWR | O_CREAT, 0600).value();
    const std::string text(size, 'x');
    ASSERT_TRUE(sys::write_all(pages_, text).has_value());
    ASSERT_EQ(::fsync(pages_.get()), 0);
    pid_ = UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0))};
    memory_ = static_cast<char*>(
        ::mmap(nullptr, copied, PROT_READ | PROT_WRITE, MAP_PRIVATE, pages_.get(), 0));
    ASSERT_NE(memory_, MAP_FAILED);
    ASSERT_EQ(::madvise(memory_, copied, MADV_RANDOM), 0);  // Each page for itself.
    write_plan();
  }
  ~WorkingSetOnDisk() override { fs::remove_all(path_); }

  void write_plan() {
    const auto begin = reinterpret_cast<std::uint64_t>(memory_);
    constexpr int writable = PROT_READ | PROT_WRITE;
    ImagePlan plan;
    plan.mappings = {{.begin = begin,
                      .size = copied,
                      .offset = 0,
                      .file = image::pages,
                      .protection = writable,
                      .flags = 0},
                     {.begin = begin,
                      .size = page,
                      .offset = copied,
                      .file = image::pages,
                      .protection = writable,
                      .flags = image::is_copied},
                     {.begin = begin,
                      .size = page,
                      .offset = 2 * size,
                      .file = image::pages,
                      .protection = writable,
                      .flags = image::is_copied}};
    plan_ = sys::open(directory_, plan_name, O_RDWR | O_CREAT, 0600).value();
    ASSERT_TRUE(sys::write_all(plan_, plan.to_bytes({})).has_value());
  }
  void forget_file() {
    ::munmap(memory_, copied);
    ASSERT_TRUE(sys::advise_unneeded(pages_).has_value());
    if (cached(0, size) != 0) GTEST_SKIP() << "needs: a file system on a disk";
  }
  std::uint64_t cached(std::uint64_t offset, std::uint64_t length) const {
    return sys::cached_bytes(pages_, offset, length).value();
  }

  fs::path path_;
  UniqueFd directory_;
  UniqueFd pages_;
  UniqueFd plan_;
  UniqueFd pid_;
  char* memory_ = nullptr;
};

TEST_F(WorkingSetOnDisk, IsWhatWasTouchedAndIsFetched) {
  ASSERT_TRUE(sys::advise_unneeded(pages_).has_value());  // Nothing is mapped beside what is read.
  memory_[mib] = 'y';
  const char read = *static_cast<volatile char*>(memory_ + 8 * mib);
  EXPECT_EQ(read, 'x');
  WorkingSet working_set;
  EXPECT_EQ(working_set.ranges(), Ranges{});
  working_set.record(pid_, plan_, pages_);
  // No more than was touched, and nothing of what is not in the file.
  EXPECT_EQ(working_set.ranges(), (Ranges{{mib, page}, {8 * mib, page}, {copied, page}}));
  forget_file();
  if (IsSkipped()) return;
  working_set.fetch(directory_, pages_);
  for (const auto& [offset, length] : working_set.ranges())
    EXPECT_EQ(cached(offset, length), length) << offset;
  EXPECT_LT(cached(0, size), 4 * mib);
}

TEST_F(WorkingSetOnDisk, OfAProcessThatHasGoneIsNotRecorded) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const UniqueFd ended{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  WorkingSet working_set;
  working_set.record(ended, plan_, pages_);
  EXPECT_EQ(working_set.ranges(), Ranges{});
  working_set.fetch(directory_, pages_);  // Nothing to be fetched.
  memory_[0] = 'y';
  working_set.record(pid_, plan_, pages_);
  EXPECT_EQ(working_set.ranges().size(), 2U);
}

}  // namespace
}  // namespace sock::checkpoint
