// Lists of what to prefetch: what is written is read again, and nothing else.

#include "image/prefetch_list.hpp"

#include <gtest/gtest.h>

namespace sock::image {
namespace {

PrefetchList usual() {
  return {.command = {"python3", "-c", "import numpy\n", ""},
          .files = {{"usr/bin/python3", {{0, 4096}, {8192, 100}}},
                    {"usr/lib/a \xff%", {{4096, 1ULL << 40U}}}}};
}

/// With a right sum, so that what is wrong with the rest shows.
std::string summed(const std::string& text) {
  return text + "s " + store::Digest::of(text).hex() + "\n";
}

TEST(PrefetchList, IsReadAsItWasWritten) {
  const PrefetchList list = usual();
  const auto read = PrefetchList::parse(list.to_text());
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(*read, list);
  EXPECT_EQ(read->bytes(), 4196U + (1ULL << 40U));
}

TEST(PrefetchList, MayBeEmpty) {
  const PrefetchList list{.command = {"true"}, .files = {}};
  EXPECT_EQ(PrefetchList::parse(list.to_text()).value(), list);
}

TEST(PrefetchList, IsRefusedWhenAnyByteChanged) {
  const std::string text = usual().to_text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(PrefetchList::parse(changed).has_value()) << changed;
    EXPECT_FALSE(PrefetchList::parse(text.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(PrefetchList::parse(text + "\n").has_value());
}

TEST(PrefetchList, IsRefusedWhenItCouldNotHaveBeenRecorded) {
  const std::string head = "sock-prefetch 1 1\nc x\n";
  ASSERT_TRUE(PrefetchList::parse(summed(head + "f a 0 1 1 1\n")).has_value());
  for (const std::string file :
       {"f ../a 0 1", "f /a 0 1", "f a/../b 0 1", "f a//b 0 1", "f - 0 1", "f a%00b 0 1", "f a 0 0",
        "f a 0 2 1 1", "f a 5 1 0 1", "f a 0", "f a", "f a -1 1", "f a 0 1 x 1",
        "f a 9223372036854775808 1", "f a 0 18446744073709551615", "g a 0 1"}) {
    const auto read = PrefetchList::parse(summed(head + file + "\n"));
    EXPECT_FALSE(read.has_value()) << file;
    EXPECT_TRUE(read.has_value() || read.error().code == Errc::corrupt) << file;
  }
  for (const std::string text :
       {"sock-prefetch 2 0\nc x\n", "sock-prefetch 1 2\nc x\nf a 0 1\n", "sock-prefetch 1 0\nc\n",
        "sock-prefetch 1 0\n", "sock-prefetch 1 99999999999\nc x\n", ""})
    EXPECT_FALSE(PrefetchList::parse(summed(text)).has_value()) << text;
}

TEST(PrefetchKey, TellsCommandsApart) {
  EXPECT_EQ(prefetch_key({"a", "b"}), prefetch_key({"a", "b"}));
  EXPECT_NE(prefetch_key({"a", "b"}), prefetch_key({"ab"}));
  EXPECT_NE(prefetch_key({"a", ""}), prefetch_key({"a"}));
}

}  // namespace
}  // namespace sock::image
