// The daemon's file.

#include "sockd/settings.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;

TEST(DaemonSettings, ChangeWhatTheFileNames) {
  Settings settings{.state = "/before", .queue = 7};
  const auto read = read_settings(R"(
listen = ["127.0.0.1:80", "[::1]:80"]
memory = "1g"
queue_time = "2s"
function_queue = 9
spares = 0
redis = "unix:/run/redis.sock"
)",
                                  settings);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(settings, (Settings{.state = "/before",
                                .listen = {"127.0.0.1:80", "[::1]:80"},
                                .memory = 1U << 30U,
                                .spares = 0,
                                .redis = "unix:/run/redis.sock",
                                .queue = 7,
                                .function_queue = 9,
                                .queue_time = 2s}));
}

TEST(DaemonSettings, NameWhatCannotBe) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"state = 5", "state"},
      {"listen = \"x\"", "listen"},
      {"listen = [1]", "listen"},
      {"memory = 5", "memory"},
      {"memory = \"x\"", "memory"},
      {"queue = 0", "queue"},
      {"spares = 65", "spares"},
      {"queue_time = 5", "queue_time"},
      {"other = 1", "other"},
      {"state", "line 1"},
      {"redis = 6379", "redis"},
      {"redis = \"x\"", "redis"},
      {"redis_password_file = 1", "redis_password_file"}};
  for (const auto& [text, subject] : mistakes) {
    Settings settings{.state = "/before"};
    const auto read = read_settings(text, settings);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, sock::Errc::invalid_spec);
    EXPECT_NE(read.error().subject.find(subject), std::string::npos) << read.error().message();
  }
}

TEST(DaemonSettings, AreShownAsTheyAreRead) {
  const Settings settings{.state = "/a \"b\"\n",
                          .listen = {"127.0.0.1:80", "[::1]:80"},
                          .zygotes = "/run/sock",
                          .watch = {"/srv/in"},
                          .memory = (1U << 30U) + 1,
                          .redis = "[::1]:6379",
                          .redis_user = "sock",
                          .redis_password_file = "/etc/password",
                          .queue = 3,
                          .event_bytes = 5U << 20U,
                          .queue_time = 1500ms,
                          .idle_time = 3min};
  Settings read{.state = {}};
  const auto done = read_settings(to_toml(settings), read);
  ASSERT_TRUE(done.has_value()) << done.error().message();
  EXPECT_EQ(read, settings);
}

}  // namespace
}  // namespace sockd
