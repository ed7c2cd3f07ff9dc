// Lines of a container's log.

#include <gtest/gtest.h>

#include "sockctl/log_writer.hpp"

namespace sockctl {
namespace {

TEST(LogEntry, KeepsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (const std::string& text : {std::string{"text\n"}, std::string{"\xc3\xa4\""}, bytes,
                                  std::string{"\xff"}, std::string{"\xff\xfe"}}) {
    const auto line = log_entry("now", "stderr", text);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    LogEntry entry;
    ASSERT_TRUE(read_log_entry(line, entry));
    EXPECT_EQ(entry.data, text);
    EXPECT_EQ(entry.stream, "stderr");
  }
}

TEST(LogEntry, IsNotReadFromRubbish) {
  LogEntry entry;
  for (const auto* text : {"", "{", "[]", "{\"stream\":1}", "{\"base64\":7}"})
    EXPECT_FALSE(read_log_entry(text, entry)) << text;
}

}  // namespace
}  // namespace sockctl
