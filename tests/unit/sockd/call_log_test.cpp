// The log of calls: what its end is, and what a full disk leaves of it.

#include "sockd/call_log.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sockd {
namespace {

namespace fs = std::filesystem;

class CallLogTest : public testing::Test {
 protected:
  ~CallLogTest() override { fs::remove_all(directory_); }

  void write(int number, std::size_t printed = 0) {
    Outcome outcome{.kind = Outcome::Kind::result};
    outcome.printed.text = std::string(printed, 'x');
    log.write(CallRequest{.function = "f", .event = "1", .id = std::to_string(number)}, outcome,
              std::chrono::milliseconds{1});
  }
  std::vector<std::string> ids(std::size_t lines) {
    std::vector<std::string> found;
    std::istringstream text{log.tail("f", lines)};
    for (std::string line; std::getline(text, line);)
      found.push_back(nlohmann::json::parse(line).at("request_id"));
    return found;
  }

  static fs::path make_directory() {
    const fs::path path = fs::temp_directory_path() / ("sock-log-" + std::to_string(::getpid()));
    fs::remove_all(path);
    return path;
  }

  fs::path directory_ = make_directory();
  CallLog log = CallLog::open(directory_).value();
};

TEST_F(CallLogTest, HasItsLastLines) {
  EXPECT_FALSE(log.exists("f"));
  EXPECT_EQ(log.tail("f", 10), "");
  for (int number = 0; number < 5; ++number) write(number);
  EXPECT_TRUE(log.exists("f"));
  EXPECT_EQ(ids(0), std::vector<std::string>{});
  EXPECT_EQ(ids(2), (std::vector<std::string>{"3", "4"}));
  EXPECT_EQ(ids(5), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(ids(1000).size(), 5U);
}

TEST_F(CallLogTest, HasLinesThatAreLongerThanABlock) {
  for (int number = 0; number < 4; ++number) write(number, 150'000);
  EXPECT_EQ(ids(2), (std::vector<std::string>{"2", "3"}));
  EXPECT_EQ(ids(4).size(), 4U);
}

TEST_F(CallLogTest, GoesOnInANewFile) {
  constexpr std::size_t each = 1U << 20U;
  for (int number = 0; number < 12; ++number) write(number, each);
  EXPECT_TRUE(fs::exists(directory_ / "f.jsonl.1"));
  EXPECT_LT(fs::file_size(directory_ / "f.jsonl"), 8 * each);
  EXPECT_EQ(ids(6), (std::vector<std::string>{"6", "7", "8", "9", "10", "11"}));
}

// What cannot be written wholly is not there at all.
TEST_F(CallLogTest, SurvivesAFullDisk) {
  write(0);
  const auto before = fs::file_size(directory_ / "f.jsonl");
  rlimit kept{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &kept), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit less{.rlim_cur = before + 20, .rlim_max = kept.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &less), 0);
  write(1);
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &kept), 0);
  std::signal(SIGXFSZ, handler);
  write(2);
  EXPECT_EQ(ids(10), (std::vector<std::string>{"0", "2"}));
}

TEST(Outcomes, AreShortenedBetweenCharacters) {
  EXPECT_EQ(shortened("text"), "text");
  const std::string long_text = "x" + std::string(20'000, 'y');
  EXPECT_EQ(shortened(long_text), long_text.substr(0, 16U << 10U));
  std::string umlauts = "x";
  while (umlauts.size() < 20'000) umlauts += "\xc3\xa4";
  EXPECT_EQ(shortened(umlauts).size(), (16U << 10U) - 1);
}

}  // namespace
}  // namespace sockd
