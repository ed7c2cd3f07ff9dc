// Compressed streams, in pieces of any size: whole, several in a row, cut, damaged, too demanding.

#include "store/decoded_stream.hpp"

#include <gtest/gtest.h>

#include "compressed.hpp"

namespace sock::store {
namespace {

/// Gives so many bytes at once.
class Pieces : public ByteStream {
 public:
  Pieces(std::string_view bytes, std::size_t size) : left_{bytes}, size_{size} {}
  Result<std::string_view> next() override {
    const auto piece = left_.substr(0, size_);
    left_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view left_;
  const std::size_t size_;
};

constexpr std::size_t whole = ~std::size_t{0};
const DecodingLimits usual{.subject = "test", .bytes_max = 1U << 30U, .ratio_max = 1200};

Result<std::string> decoded(const Codec& codec, const std::string& stored,
                            std::size_t piece = whole, const DecodingLimits& limits = usual) {
  Pieces pieces{stored, piece};
  DecodedStream stream{pieces, codec.decoder("test"), limits};
  std::string all;
  for (;;) {
    const auto bytes = stream.next();
    if (!bytes.has_value()) return std::unexpected(bytes.error());
    if (bytes->empty()) return all;
    all += *bytes;
  }
}

// Longer than what a decoder gives at once, and neither zeros nor noise.
std::string some_text() {
  constexpr unsigned length = 300'000;
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += static_cast<char>('a' + i * i / 7 % 26);
  return text;
}

TEST(DecodedStream, IsWhatWasCompressed) {
  const std::string text = some_text();
  const std::string zeros(8U << 20U, '\0');
  for (const Codec& codec : codecs) {
    const std::string stored = codec.compressed(text);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, whole}) {
      const auto all = decoded(codec, stored, piece);
      ASSERT_TRUE(all.has_value()) << codec.ending << ": " << all.error().message();
      EXPECT_TRUE(*all == text) << codec.ending << " in pieces of " << piece;
    }
    EXPECT_TRUE(decoded(codec, codec.compressed(zeros)).value() == zeros) << codec.ending;
    EXPECT_EQ(decoded(codec, codec.compressed("")).value(), "") << codec.ending;
  }
}

TEST(DecodedStream, MayBeSeveralBehindEachOther) {
  const std::string text = some_text();
  for (const Codec& codec : codecs) {
    const std::string stored = codec.compressed("first, ") + codec.compressed(text);
    for (const std::size_t piece : {std::size_t{1}, whole}) {
      const auto all = decoded(codec, stored, piece);
      ASSERT_TRUE(all.has_value()) << codec.ending << ": " << all.error().message();
      EXPECT_TRUE(*all == "first, " + text) << codec.ending << " in pieces of " << piece;
    }
  }
}

TEST(DecodedStream, IsCorruptWhereItEndsInTheMiddle) {
  for (const Codec& codec : codecs) {
    const std::string stored = codec.compressed(some_text());
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{5}, stored.size() / 2, stored.size() - 1}) {
      const auto cut = decoded(codec, stored.substr(0, size));
      ASSERT_FALSE(cut.has_value()) << codec.ending << ": " << size << " bytes";
      EXPECT_EQ(cut.error().code, Errc::corrupt);
      EXPECT_EQ(cut.error().subject, "test");
    }
  }
}

TEST(DecodedStream, IsCorruptWithOtherBytesInIt) {
  for (const Codec& codec : codecs) {
    const std::string stored = codec.compressed(some_text());
    for (const std::string& other : {stored + "something else", "something else" + stored}) {
      const auto spoiled = decoded(codec, other);
      ASSERT_FALSE(spoiled.has_value()) << codec.ending;
      EXPECT_EQ(spoiled.error().code, Errc::corrupt);
    }
  }
}

TEST(DecodedStream, RefusesADictionaryOfGigabytes) {
  const Codec& xz = codecs[1];
  std::string stored = xz.compressed("text");
  // The header of the block: its size in words less one, flags, sizes, and the filter LZMA2, which
  // has one byte of properties; then the checksum.
  constexpr std::size_t header = 12;
  constexpr std::size_t checksum_size = 4;
  constexpr char four_gigabytes = 40;
  const auto filter = stored.find("\x21\x01", header + 2);
  ASSERT_NE(filter, std::string::npos);
  stored[filter + 2] = four_gigabytes;
  const std::size_t size = (static_cast<unsigned char>(stored[header]) + 1U) * 4U - checksum_size;
  auto checksum =
      ::lzma_crc32(reinterpret_cast<const std::uint8_t*>(stored.data()) + header, size, 0);
  for (std::size_t i = 0; i < checksum_size; ++i, checksum >>= 8U)
    stored[header + size + i] = static_cast<char>(checksum & 0xffU);
  const auto refused = decoded(xz, stored);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::corrupt);
  EXPECT_EQ(refused.error().hint, "xz: it takes too much memory");
}

TEST(DecodedStream, HasLimits) {
  const std::string zeros(2U << 20U, '\0');
  const DecodingLimits small{.subject = "test", .bytes_max = 1U << 20U, .ratio_max = 1};
  for (const Codec& codec : codecs) {
    const auto refused = decoded(codec, codec.compressed(zeros), whole, small);
    ASSERT_FALSE(refused.has_value()) << codec.ending;
    EXPECT_EQ(refused.error().code, Errc::exhausted);
    EXPECT_TRUE(decoded(codec, codec.compressed("little"), whole, small).has_value());
  }
}

TEST(DecodedStream, MayHaveZerosBetweenStreamsOfXz) {
  const Codec& xz = codecs[1];
  const std::string one = xz.compressed("one");
  const std::string two = xz.compressed("two");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, whole}) {
    EXPECT_EQ(decoded(xz, one + std::string(4, '\0'), piece).value_or(""), "one");
    EXPECT_EQ(decoded(xz, one + std::string(8, '\0') + two, piece).value_or(""), "onetwo");
    EXPECT_FALSE(decoded(xz, one + std::string(3, '\0'), piece).has_value());
    EXPECT_FALSE(decoded(xz, one + std::string(5, '\0') + two, piece).has_value());
  }
}

TEST(DecodedStream, ComesAsItIsWithoutADecoder) {
  Pieces pieces{"plain", 3};
  DecodedStream stream{pieces, nullptr, usual};
  EXPECT_EQ(stream.next().value(), "pla");
  EXPECT_EQ(stream.next().value(), "in");
  EXPECT_EQ(stream.next().value(), "");
}

}  // namespace
}  // namespace sock::store
