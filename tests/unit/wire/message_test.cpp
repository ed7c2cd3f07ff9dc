// Messages between a Host and a zygote: what was written is read, and nothing else.

#include "wire/message.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sock::testing {
namespace {

using wire::Field;
using wire::Kind;

std::vector<std::byte> example() {
  std::vector<std::byte> memory(256);
  wire::Writer writer{memory, Kind::work};
  writer.put(Field::argv, std::string_view{"python3\0-c\0", 11});
  writer.put_value(Field::uid, std::uint32_t{65534});
  writer.put(Field::groups, nullptr, 0);
  memory.resize(writer.message().size());
  return memory;
}

/// How many whole fields there are, or -1 when the message is refused.
int count_fields(std::span<const std::byte> message) {
  auto reader = wire::Reader::open(message);
  if (!reader) return -1;
  int count = 0;
  while (reader->next()) ++count;
  return reader->complete() ? count : -1;
}

TEST(WireMessage, IsReadAsItWasWritten) {
  const auto message = example();
  auto reader = wire::Reader::open(message);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->kind(), Kind::work);
  const auto argv = reader->next();
  ASSERT_TRUE(argv);
  std::vector<std::string> strings;
  EXPECT_TRUE(wire::for_each_string(*argv, [&](auto text) { strings.emplace_back(text); }));
  EXPECT_EQ(strings, (std::vector<std::string>{"python3", "-c"}));
  EXPECT_EQ(reader->next()->as<std::uint32_t>(), 65534U);
  EXPECT_EQ(reader->next()->bytes.size(), 0U);
  EXPECT_FALSE(reader->next());
  EXPECT_TRUE(reader->complete());
}

TEST(WireMessage, IsRefusedAtEveryLengthButItsOwn) {
  const auto message = example();
  // After the header, and after whole fields, a shorter message is a message of fewer fields.
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_LT(count_fields(std::span{message}.first(size)), 3) << size;
  EXPECT_EQ(count_fields(message), 3);
  auto longer = message;
  longer.push_back(std::byte{0});
  EXPECT_EQ(count_fields(longer), -1);
}

TEST(WireMessage, IsRefusedWithAnotherVersionOrMagic) {
  for (const std::size_t at : {0U, 3U, 4U, 5U}) {
    auto message = example();
    message[at] ^= std::byte{0xff};
    EXPECT_FALSE(wire::Reader::open(message)) << at;
  }
}

TEST(WireMessage, IsNeverReadBeyondItsEndWhateverItHolds) {
  std::mt19937 random{1};  // NOLINT: the same bytes each time
  for (int round = 0; round < 20'000; ++round) {
    auto message = example();
    for (int flips = 1 + round % 4; flips > 0; --flips)
      message[random() % message.size()] = static_cast<std::byte>(random());
    message.resize(random() % (message.size() + 1));
    const std::vector<std::byte> exact{message};  // So that a sanitizer sees the end.
    auto reader = wire::Reader::open(exact);
    std::size_t read = 0;
    while (reader) {
      const auto field = reader->next();
      if (!field) break;
      read += field->bytes.size();
      wire::for_each_string(*field, [&](auto text) { read += text.size(); });
    }
    EXPECT_LE(read, 2 * exact.size());
  }
}

TEST(WireMessage, IsInvalidWhenItDoesNotFit) {
  std::array<std::byte, 24> memory;
  wire::Writer writer{memory, Kind::work};
  writer.put(Field::cwd, "12345678");
  EXPECT_EQ(writer.message().size(), 24U);
  writer.put(Field::cwd, "");
  EXPECT_TRUE(writer.message().empty());
}

TEST(WireMessage, HasNoStringWithoutAnEnd) {
  const std::string text = "a\0b";
  const wire::FieldView field{.field = Field::argv,
                              .bytes = std::as_bytes(std::span{text.data(), 3})};
  EXPECT_FALSE(wire::for_each_string(field, [](auto) {}));
}

}  // namespace
}  // namespace sock::testing
