// Where a Redis listens.

#include "sockd/redis_address.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

TEST(RedisAddresses, AreSocketsAndPorts) {
  const std::pair<const char*, RedisAddress> good[] = {
      {"unix:/run/redis/redis.sock", {.path = "/run/redis/redis.sock"}},
      {"127.0.0.1:6379", {.host = "127.0.0.1", .port = 6379}},
      {"redis.example:1", {.host = "redis.example", .port = 1}},
      {"[::1]:65535", {.host = "::1", .port = 65535}},
      {"[fe80::1%eth0]:6379", {.host = "fe80::1%eth0", .port = 6379}}};
  for (const auto& [text, address] : good) {
    const auto parsed = parse_redis_address(text);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
    EXPECT_EQ(*parsed, address) << text;
  }
}

TEST(RedisAddresses, AreRefusedWithAHint) {
  const std::string long_path = "unix:/" + std::string(107, 'x');
  const std::string long_host = std::string(254, 'x') + ":1";
  const std::string bad[] = {
      "",        "redis",          "unix:",    "unix:run/redis", std::string{"unix:/a\0b", 9},
      ":6379",   "host:",          "host:0",   "host:65536",     "host:-1",
      "host:1x", "host: 1",        "::1:6379", "[]:1",           "[host]:1",
      "[::1:1",  "redis://host:1", "ho st:1",  "-h:1",           long_path,
      long_host};
  for (const auto& text : bad) {
    const auto parsed = parse_redis_address(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, sock::Errc::invalid_spec);
    EXPECT_FALSE(parsed.error().hint.empty());
    EXPECT_EQ(parsed.error().message().find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace sockd
