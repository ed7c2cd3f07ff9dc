// What Redis' answers mean.

#include "sockd/redis_answers.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

using sock::Errc;

RedisReply reply_of(std::string_view bytes) {
  RedisReader reader{1000};
  auto reply = reader.take(bytes);
  if (!reply.has_value() || !reply->has_value()) throw std::runtime_error{"no reply"};
  return std::move(**reply);
}

TEST(RedisAnswers, OfPutAreWords) {
  EXPECT_TRUE(put_answer(reply_of("+OK\r\n"), "a").has_value());
  EXPECT_EQ(put_answer(reply_of("+EXISTS\r\n"), "a").error().code, Errc::exists);
  EXPECT_EQ(put_answer(reply_of("+EXHAUSTED\r\n"), "a").error().code, Errc::exhausted);
  EXPECT_EQ(put_answer(reply_of("$2\r\nOK\r\n"), "a").error().code, Errc::corrupt);
  EXPECT_EQ(put_answer(reply_of(":1\r\n"), "a").error().code, Errc::corrupt);
}

TEST(RedisAnswers, OfFindAreVersionsAndSizes) {
  const std::string version = "12345678-1234-1234-1234-123456789012";
  const auto found =
      find_answer(reply_of("$57\r\n" + version + " 18446744073709551615\r\n"), "a").value();
  EXPECT_EQ(found.version, version);
  EXPECT_EQ(found.size, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(find_answer(reply_of("$-1\r\n"), "a").error().code, Errc::not_found);
  for (const std::string& bytes :
       {"$36\r\n" + version + "\r\n", "$37\r\n" + version + " \r\n", "$38\r\n" + version + "-1\r\n",
        "$39\r\n" + version + " -1\r\n", "$39\r\n" + version + " 1x\r\n", "+" + version + " 1\r\n",
        std::string{"$1\r\n1\r\n"}, std::string{":1\r\n"}})
    EXPECT_EQ(find_answer(reply_of(bytes), "a").error().code, Errc::corrupt) << bytes;
}

TEST(RedisAnswers, OfPieceAreTextsOfItsSize) {
  const auto found = reply_of("$2\r\nhi\r\n");
  EXPECT_EQ(piece_answer(found, 2, "a").value(), "hi");
  EXPECT_EQ(piece_answer(found, 1, "a").error().code, Errc::corrupt);
  EXPECT_EQ(piece_answer(found, 3, "a").error().code, Errc::corrupt);
  EXPECT_EQ(piece_answer(reply_of("$-1\r\n"), 2, "a").error().code, Errc::not_found);
  EXPECT_EQ(piece_answer(reply_of("+hi\r\n"), 2, "a").error().code, Errc::corrupt);
}

TEST(RedisAnswers, OfRemoveAreNumbers) {
  EXPECT_TRUE(remove_answer(reply_of(":1\r\n")).value());
  EXPECT_FALSE(remove_answer(reply_of(":0\r\n")).value());
  EXPECT_EQ(remove_answer(reply_of(":2\r\n")).error().code, Errc::corrupt);
  EXPECT_EQ(remove_answer(reply_of("$-1\r\n")).error().code, Errc::corrupt);
}

TEST(RedisAnswers, OfAddAreNumbersInTexts) {
  EXPECT_EQ(add_answer(reply_of("$20\r\n-9223372036854775808\r\n"), "a").value(),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(add_answer(reply_of("+EXHAUSTED\r\n"), "a").error().code, Errc::exhausted);
  EXPECT_EQ(add_answer(reply_of("+OVERFLOW\r\n"), "a").error().code, Errc::invalid_spec);
  for (const char* bytes : {"$0\r\n\r\n", "$2\r\n1x\r\n", "$19\r\n9223372036854775808\r\n",
                            "$3\r\n1.5\r\n", ":1\r\n", "$-1\r\n"})
    EXPECT_EQ(add_answer(reply_of(bytes), "a").error().code, Errc::corrupt) << bytes;
}

TEST(RedisAnswers, MayBeErrors) {
  const std::pair<const char*, Errc> errors[] = {
      {"-WRONGPASS invalid\r\n", Errc::denied},
      {"-NOAUTH Authentication required.\r\n", Errc::denied},
      {"-NOPERM no\r\n", Errc::denied},
      {"-ERR The user executing the script can't run this command or subcommand\r\n", Errc::denied},
      {"-ERR The user\r\n", Errc::io},
      {"-OOM command not allowed\r\n", Errc::exhausted},
      {"-LOADING the dataset\r\n", Errc::io},
      {"-\r\n", Errc::io}};
  for (const auto& [bytes, code] : errors) {
    EXPECT_EQ(ping_answer(reply_of(bytes)).error().code, code) << bytes;
    EXPECT_EQ(add_answer(reply_of(bytes), "a").error().code, code) << bytes;
    EXPECT_EQ(login_answer(reply_of(bytes)).error().code, Errc::denied) << bytes;
  }
  EXPECT_TRUE(is_unknown_script(reply_of("-NOSCRIPT No matching script.\r\n")));
  EXPECT_FALSE(is_unknown_script(reply_of("+NOSCRIPT No matching script.\r\n")));
  EXPECT_TRUE(ping_answer(reply_of("+PONG\r\n")).has_value());
}

}  // namespace
}  // namespace sockd
