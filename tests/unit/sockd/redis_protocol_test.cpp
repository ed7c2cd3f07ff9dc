// Commands and answers as they are on the wire.

#include "sockd/redis_protocol.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace sockd {
namespace {

using sock::Errc;
using Kind = RedisReply::Kind;

constexpr std::size_t most = 100;

TEST(RedisCommands, HoldAnyBytes) {
  const std::array<std::string_view, 3> words{"SET", std::string_view{"a\0\r\n", 4}, ""};
  const std::string bytes = "$3\r\nSET\r\n$4\r\n" + std::string{words[1]} + "\r\n$0\r\n\r\n";
  EXPECT_EQ(redis_command(words), "*3\r\n" + bytes);
  EXPECT_EQ(redis_command(words, 5'000'000'000), "*4\r\n" + bytes + "$5000000000\r\n");
}

TEST(RedisReplies, HaveKinds) {
  RedisReader reader{most};
  auto reply = reader.take("+OK\r\n");
  ASSERT_TRUE(reply.has_value() && reply->has_value());
  EXPECT_EQ((*reply)->kind(), Kind::status);
  EXPECT_EQ((*reply)->text(), "OK");
  reply = reader.take("-ERR *no*\r\n");
  ASSERT_TRUE(reply.has_value() && reply->has_value());
  EXPECT_EQ((*reply)->kind(), Kind::error);
  EXPECT_EQ((*reply)->text(), "ERR *no*");
  reply = reader.take(":-9223372036854775808\r\n");
  ASSERT_TRUE(reply.has_value() && reply->has_value());
  EXPECT_EQ((*reply)->kind(), Kind::number);
  EXPECT_EQ((*reply)->number(), std::numeric_limits<std::int64_t>::min());
  reply = reader.take({"$4\r\n\0\r\n\xff\r\n", 10});
  ASSERT_TRUE(reply.has_value() && reply->has_value());
  EXPECT_EQ((*reply)->kind(), Kind::text);
  EXPECT_EQ((*reply)->text(), (std::string_view{"\0\r\n\xff", 4}));
  reply = reader.take("$-1\r\n");
  ASSERT_TRUE(reply.has_value() && reply->has_value());
  EXPECT_EQ((*reply)->kind(), Kind::nothing);
}

TEST(RedisReplies, ComeInPieces) {
  const std::string whole = "$5\r\n*+-:$\r\n";
  RedisReader reader{most};
  for (const char& byte : std::string_view{whole}.substr(0, whole.size() - 1)) {
    const auto reply = reader.take({&byte, 1});
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
    EXPECT_FALSE(reply->has_value());
  }
  const auto reply = reader.take("\n");
  ASSERT_TRUE(reply.has_value() && reply->has_value());
  EXPECT_EQ((*reply)->text(), "*+-:$");
}

TEST(RedisReplies, AreNotBelieved) {
  const std::string long_line = "+" + std::string(most + 100, 'x');
  const std::pair<std::string, Errc> bad[] = {
      {"HTTP/1.1 400 Bad Request\r\n", Errc::corrupt},
      {"*1000000000\r\n", Errc::corrupt},
      {"*0\r\n", Errc::corrupt},
      {"%1\r\n+a\r\n+b\r\n", Errc::corrupt},
      {"%", Errc::corrupt},
      {"~1000000000\r\n", Errc::corrupt},
      {">", Errc::corrupt},
      {"_\r\n", Errc::corrupt},
      {"$-7\r\n", Errc::corrupt},
      {":1x\r\n", Errc::corrupt},
      {"+OK\r\n+OK\r\n", Errc::corrupt},
      {"+OK\r\n*", Errc::corrupt},
      {"$101\r\n" + std::string(101, 'x') + "\r\n", Errc::exhausted},
      {"$9000000000000000000\r\n" + std::string(most + 100, 'x'), Errc::exhausted},
      {long_line, Errc::exhausted}};
  for (const auto& [bytes, code] : bad) {
    RedisReader reader{most};
    const auto reply = reader.take(bytes);
    ASSERT_FALSE(reply.has_value()) << bytes;
    EXPECT_EQ(reply.error().code, code) << bytes << ": " << reply.error().message();
  }
}

}  // namespace
}  // namespace sockd
