// What a native handler is given and may answer: JSON, and nothing that only looks like it.

#include "native/json_text.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sock::zygote {
namespace {

TEST(JsonText, ValuesOfEveryKindAreJson) {
  for (const char* text :
       {"0", "-0", "12", "-1.5", "1e9", "1.25E-3", "2e+0", "true", "false", "null", "\"\"",
        R"("a\"\\\/\b\f\n\r\t\u00e9")", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "[]", "{}",
        " [ 1 , [ ] , { } ] ", R"({"a": {"b": [1, 2, {"c": null}]}, "d": "e"})", "\t\r\n1\n"})
    EXPECT_TRUE(is_json(text)) << text;
}

TEST(JsonText, WhatOnlyLooksLikeItIsNot) {
  for (const char* text :
       {"",          " ",       "01",       "+1",         "-",        "1.",          ".5",
        "1e",        "1e+",     "0x1",      "NaN",        "Infinity", "tru",         "nulll",
        "True",      "'a'",     "\"",       "\"a",        "\"\\x\"",  "\"\\u12g4\"", "\"\\u12",
        "\"a\nb\"",  "[",       "]",        "[1",         "[1,]",     "[,1]",        "[1 2]",
        "{",         "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",    "{1:2}",       "[}",
        "{\"a\":1]", "[1]]",    "1 2",      "1,",         "//",       "[1] x"})
    EXPECT_FALSE(is_json(text)) << text;
  EXPECT_FALSE(is_json({"1\0", 2})) << "a NUL is no space";
}

TEST(JsonText, StringsAreUtf8) {
  for (const char* bytes : {"\x80", "\xc3", "\xc0\xaf", "\xe2\x82", "\xe0\x9f\xbf", "\xed\xa0\x80",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_json('"' + std::string{bytes} + '"'));
    EXPECT_FALSE(is_json('"' + std::string{bytes}));
  }
}

TEST(JsonText, NestingHasALimitAndTakesNoStack) {
  const auto nested = [](std::size_t depth, std::size_t close) {
    return std::string(depth, '[') + std::string(close, ']');
  };
  EXPECT_TRUE(is_json(nested(1000, 1000)));
  EXPECT_TRUE(is_json("[" + nested(999, 999) + "," + nested(999, 999) + "]"));
  EXPECT_FALSE(is_json(nested(1000, 999)));
  EXPECT_FALSE(is_json(nested(1002, 1002)));
  EXPECT_FALSE(is_json(nested(10'000'000, 0)));
}

std::string as_string(std::string_view text) {
  TextBuffer buffer;
  append_json_string(buffer, text);
  return std::string{buffer.view()};
}

TEST(JsonText, AnyBytesBecomeAString) {
  EXPECT_EQ(as_string(""), "\"\"");
  EXPECT_EQ(as_string("a\"b\\c\n\x01\x7f"), "\"a\\\"b\\\\c\\u000a\\u0001\x7f\"");
  EXPECT_EQ(as_string("\xc3\xa9\xff\xc3"), "\"\xc3\xa9\\ufffd\\ufffd\"");
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  EXPECT_TRUE(is_json(as_string(every)));
}

}  // namespace
}  // namespace sock::zygote
