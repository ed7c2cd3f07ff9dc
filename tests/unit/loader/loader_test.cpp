// Both engines of the loader, on the same files; and reading ahead.

#include "loader/loader.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "loader/read_ahead.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/page_cache.hpp"
#include "sys/probe.hpp"

namespace sock::loader {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  Files() {
    std::string pattern = testing::TempDir() + "sock-loader-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    tree_ = sys::open(sys::cwd, path_.string(), O_RDONLY | O_DIRECTORY).value();
  }
  ~Files() override { fs::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream{path_ / name, std::ios::binary} << text;
  }

  fs::path path_;
  UniqueFd tree_;
};

class Loaders : public Files, public testing::WithParamInterface<Engine> {
 protected:
  static std::unique_ptr<Loader> make(const LoaderOptions& options = {}) {
    if (GetParam() == Engine::threads) return make_thread_loader(options);
    auto made = make_ring_loader(options);
    EXPECT_TRUE(made.has_value()) << made.error().message();
    return made.has_value() ? std::move(*made) : nullptr;
  }
  static std::string text_of(std::size_t size, std::size_t seed) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + seed) % 23);
    return text;
  }
};

TEST_P(Loaders, SkipWhatCannotBeLoaded) {
  write("good", "good");
  write("short", text_of(5000, 1));
  write("secret", "secret");
  fs::create_symlink("secret", path_ / "link");
  fs::create_directory_symlink(".", path_ / "here");
  ASSERT_EQ(::mkfifo((path_ / "fifo").c_str(), 0600), 0);
  const std::vector<FileRanges> files{
      {"missing", {{0, 4}}},
      {"link", {{0, 6}}},
      {"here/secret", {{0, 6}}},
      {"fifo", {{0, 1}}},
      {"../../etc/passwd", {{0, 4}}},
      {"/etc/passwd", {{0, 4}}},
      {std::string(5000, 'x'), {{0, 4}}},
      {"good", {{0, 4}}},
      {"short", {{0, 9000}}},
  };
  const auto count = make({.parallel = 2, .threads = 2})->prefetch(tree_, files, {});
  ASSERT_TRUE(count.has_value());
  // To prefetch beyond the end of a file is no failure.
  EXPECT_EQ(count->files, 2U);
  EXPECT_EQ(count->failed, 7U);
}

TEST_P(Loaders, BringFilesIntoThePageCache) {
  // More ranges than one chain of the ring has place for.
  const std::string text = text_of(4U << 20U, 9);
  write("big", text);
  FileRanges ranges{"big", {}};
  for (std::uint64_t at = 0; at < text.size(); at += 64U << 10U)
    ranges.ranges.push_back({at, 64U << 10U});
  const std::vector<FileRanges> files(40, ranges);
  const auto count = make({.parallel = 3, .threads = 3})->prefetch(tree_, files, {});
  ASSERT_TRUE(count.has_value()) << count.error().message();
  EXPECT_EQ(*count, (LoadCount{.files = 40, .bytes = 40 * text.size(), .failed = 0}));
}

TEST_P(Loaders, HaveMoreUnderWayThanTheRingHasResultsFor) {
  write("one", text_of(300000, 1));
  FileRanges ranges{"one", {}};
  for (std::uint64_t at = 0; at < 30; ++at) ranges.ranges.push_back({at * 10000, 10000});
  const std::vector<FileRanges> files(1000, ranges);
  const auto count = make({.parallel = 1024, .threads = 8})->prefetch(tree_, files, {});
  ASSERT_TRUE(count.has_value()) << count.error().message();
  EXPECT_EQ(*count, (LoadCount{.files = 1000, .bytes = 1000 * 300000ULL, .failed = 0}));
}

TEST_P(Loaders, TakeNoLengthForNothing) {
  write("one", "one");
  const std::vector<FileRanges> files{{"one", {{0, 0}}}, {"one", {}}, {"one", {{1, 0}, {0, 2}}}};
  const auto count = make()->prefetch(tree_, files, {});
  ASSERT_TRUE(count.has_value());
  EXPECT_EQ(*count, (LoadCount{.files = 3, .bytes = 2, .failed = 0}));
}

TEST_P(Loaders, StopWhenTheyAreAskedTo) {
  write("one", "one");
  const std::vector<FileRanges> files(10000, FileRanges{"one", {{0, 3}}});
  std::stop_source stop;
  stop.request_stop();
  const auto count = make()->prefetch(tree_, files, stop.get_token());
  ASSERT_TRUE(count.has_value());
  EXPECT_EQ(*count, LoadCount{});
}

TEST_P(Loaders, KeepNoDescriptor) {
  write("one", "one");
  const auto open_files = [] {
    return std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{});
  };
  const auto before = open_files();
  const std::vector<FileRanges> files(300, FileRanges{"one", {{0, 3}}});
  EXPECT_TRUE(make()->prefetch(tree_, files, {}).has_value());
  EXPECT_EQ(open_files(), before);
}

INSTANTIATE_TEST_SUITE_P(Engines, Loaders, testing::Values(Engine::ring, Engine::threads),
                         [](const auto& engine) {
                           return engine.param == Engine::ring ? "Ring" : "Threads";
                         });

class ReadsAhead : public Files {
 protected:
  /// `count` files of `size` bytes, and who asks how many of them have been named.
  ReadAhead over(std::size_t count, std::uint64_t size) {
    return {tree_, [this, count, size]() -> std::optional<WholeFile> {
              if (named_ == count) return std::nullopt;
              return WholeFile{.path = std::to_string(named_++), .size = size};
            }};
  }

  std::size_t named_ = 0;
};

TEST_F(ReadsAhead, OfSmallFilesSomeHundreds) {
  ReadAhead ahead = over(10000, 10);
  for (std::size_t read = 0; read < 10000; ++read) {
    ahead.before_one();
    ASSERT_GT(named_, read);
    ASSERT_LE(named_, read + 512);
  }
  EXPECT_EQ(named_, 10000U);
  ahead.before_one();  // One too many asks for nothing.
}

TEST_F(ReadsAhead, OfLargeFilesNotMoreThanMemoryHasPlaceFor) {
  constexpr std::uint64_t huge = 1ULL << 62U;
  ReadAhead ahead = over(100, huge);
  for (std::size_t read = 0; read < 100; ++read) {
    ahead.before_one();
    ASSERT_GT(named_, read);
    ASSERT_LE(named_, read + 2);
  }
}

TEST_F(ReadsAhead, IntoThePageCache) {
  constexpr std::size_t size = 1U << 20U;
  for (int i = 0; i < 3; ++i) {
    write(std::to_string(i), std::string(size, 'x'));
    const auto file = sys::open_beneath(tree_, std::to_string(i), O_RDWR).value();
    ASSERT_TRUE(sys::sync_file(file).has_value());
    ASSERT_TRUE(sys::advise_unneeded(file).has_value());
    if (!sys::cached_ranges(file).value().empty()) GTEST_SKIP() << "needs: a file system on a disk";
  }
  over(3, size).before_one();
  const auto last = sys::open_beneath(tree_, "2", O_RDWR).value();
  // The kernel has been asked to, and does it in its own time.
  const auto is_there = [&] {
    const auto cached = sys::cached_ranges(last).value();
    return cached.size() == 1 && cached[0].length == size;
  };
  for (int tries = 0; tries < 10000 && !is_there(); ++tries) std::this_thread::yield();
  EXPECT_TRUE(is_there());
}

}  // namespace
}  // namespace sock::loader
