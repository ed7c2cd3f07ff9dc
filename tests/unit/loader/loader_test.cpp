// Both engines of the loader, on the same files.

#include "loader/loader.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "sys/file.hpp"
#include "sys/probe.hpp"

namespace sock::loader {
namespace {

namespace fs = std::filesystem;

enum class Engine : std::uint8_t { ring, threads };

/// Keeps everything, and says what of the contract was broken.
class Keeper final : public Sink {
 public:
  void take(std::size_t file, std::string_view bytes) noexcept override {
    const std::lock_guard lock{mutex_};
    if (ended_.contains(file)) ADD_FAILURE() << "bytes after the end of " << file;
    bytes_[file] += bytes;
  }
  void end(std::size_t file, bool whole) noexcept override {
    const std::lock_guard lock{mutex_};
    if (!ended_.emplace(file, whole).second) ADD_FAILURE() << "two ends of " << file;
  }
  const std::string& of(std::size_t file) { return bytes_[file]; }
  bool is_whole(std::size_t file) { return ended_.at(file); }
  [[nodiscard]] std::size_t ends() const { return ended_.size(); }

 private:
  std::mutex mutex_;  // guards everything below
  std::map<std::size_t, std::string> bytes_;
  std::map<std::size_t, bool> ended_;
};

class Loaders : public testing::TestWithParam<Engine> {
 protected:
  Loaders() {
    std::string pattern = testing::TempDir() + "sock-loader-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    tree_ = sys::open(sys::cwd, path_.string(), O_RDONLY | O_DIRECTORY).value();
  }
  ~Loaders() override { fs::remove_all(path_); }

  std::unique_ptr<Loader> make(const LoaderOptions& options = {}) {
    if (GetParam() == Engine::threads) return make_thread_loader(options);
    auto made = make_ring_loader(options);
    EXPECT_TRUE(made.has_value()) << made.error().message();
    return made.has_value() ? std::move(*made) : nullptr;
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{path_ / name, std::ios::binary} << text;
  }
  static std::string text_of(std::size_t size, std::size_t seed) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + seed) % 23);
    return text;
  }

  fs::path path_;
  UniqueFd tree_;
};

TEST_P(Loaders, ReadManyFilesOfManySizes) {
  constexpr std::size_t chunk = 4096;
  const std::vector<std::size_t> sizes{0, 1, chunk - 1, chunk, chunk + 1, 50000, 2 * chunk, 123};
  std::vector<FileRanges> files;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t size = sizes[i % sizes.size()];
    write(std::to_string(i), text_of(size, i));
    files.push_back({std::to_string(i), {{0, size}}});
  }
  Keeper keeper;
  const auto count =
      make({.parallel = 5, .threads = 3, .chunk = chunk})->read(tree_, files, keeper);
  ASSERT_TRUE(count.has_value()) << count.error().message();
  EXPECT_EQ(count->files, files.size());
  EXPECT_EQ(count->failed, 0U);
  EXPECT_EQ(keeper.ends(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_TRUE(keeper.is_whole(i)) << i;
    EXPECT_EQ(keeper.of(i), text_of(sizes[i % sizes.size()], i)) << i;
  }
}

TEST_P(Loaders, ReadRangesInTheirOrder) {
  const std::string text = text_of(100000, 3);
  write("one", text);
  const std::vector<FileRanges> files{
      {"one", {{90000, 10000}, {5, 0}, {0, 10}, {20, 70000}}},
      {"one", {}},
  };
  Keeper keeper;
  const auto count = make({.chunk = 8192})->read(tree_, files, keeper);
  ASSERT_TRUE(count.has_value());
  EXPECT_EQ(*count, (LoadCount{.files = 2, .bytes = 80010, .failed = 0}));
  EXPECT_EQ(keeper.of(0), text.substr(90000) + text.substr(0, 10) + text.substr(20, 70000));
  EXPECT_TRUE(keeper.is_whole(1));
}

TEST_P(Loaders, SkipWhatCannotBeLoaded) {
  write("good", "good");
  write("short", text_of(5000, 1));
  write("secret", "secret");
  fs::create_directory(path_ / "directory");
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
      {"short", {{0, 9000}}},
      {"directory", {{0, 4}}},
      {"good", {{0, 4}}},
  };
  Keeper keeper;
  const auto loader = make({.parallel = 2, .threads = 2, .chunk = 4096});
  const auto count = loader->read(tree_, files, keeper);
  ASSERT_TRUE(count.has_value());
  EXPECT_EQ(*count, (LoadCount{.files = 1, .bytes = 5004, .failed = 8}));
  EXPECT_EQ(keeper.of(8), "good");
  EXPECT_EQ(keeper.ends(), files.size());
  for (std::size_t i = 0; i < 8; ++i) EXPECT_FALSE(keeper.is_whole(i)) << files[i].path;
  // To prefetch beyond the end of a file is no failure; some kernels take advice on directories.
  const auto fetched = loader->prefetch(tree_, files, {});
  ASSERT_TRUE(fetched.has_value());
  EXPECT_GE(fetched->files, 2U);
  EXPECT_GE(fetched->failed, 6U);
  EXPECT_EQ(fetched->files + fetched->failed, files.size());
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
  Keeper keeper;
  EXPECT_TRUE(make()->read(tree_, files, keeper).has_value());
  EXPECT_TRUE(make()->prefetch(tree_, files, {}).has_value());
  EXPECT_EQ(open_files(), before);
}

INSTANTIATE_TEST_SUITE_P(Engines, Loaders, testing::Values(Engine::ring, Engine::threads),
                         [](const auto& engine) {
                           return engine.param == Engine::ring ? "Ring" : "Threads";
                         });

}  // namespace
}  // namespace sock::loader
