// The line that answers an event.

#include <string>

#include <gtest/gtest.h>

#include "native/events.hpp"

namespace sock::zygote {
namespace {

using Handle = int (*)(sock_text, sock_text*);

std::string answer(Handle handle, const std::string& event) {
  sock_handler handler{};
  handler.handle = handle;
  TextBuffer line;
  line.append("what was there before");
  answer_event(handler, {event.c_str(), event.size()}, line);
  return std::string{line.view()};
}

int echo(sock_text event, sock_text* result) {
  *result = event;
  return 0;
}

TEST(NativeEvents, AreAnsweredByTheResultOnOneLine) {
  EXPECT_EQ(answer(echo, "42"), "{\"result\": 42}\n");
  EXPECT_EQ(answer(echo, "[1,\n2]"), "{\"result\": [1, 2]}\n");
}

TEST(NativeEvents, ThatAreNoJsonReachNoHandler) {
  const Handle never = [](sock_text, sock_text*) {
    ADD_FAILURE() << "called";
    return 0;
  };
  EXPECT_EQ(answer(never, "{"),
            "{\"error\": {\"type\": \"InvalidEvent\", \"message\": \"it is not JSON\", "
            "\"trace\": []}}\n");
}

TEST(NativeEvents, AreAnsweredByAnErrorWhereTheHandlerFails) {
  const auto is_error = [](const std::string& line, const char* type) {
    return line.starts_with(std::string{"{\"error\": {\"type\": \""} + type) &&
           line.ends_with("\"trace\": []}}\n");
  };
  const Handle nothing = [](sock_text, sock_text*) { return 0; };
  EXPECT_TRUE(is_error(answer(nothing, "1"), "InvalidResult"));
  const Handle silent = [](sock_text, sock_text*) { return -7; };
  EXPECT_NE(answer(silent, "1").find("handle() returned -7"), std::string::npos);
  const Handle talks = [](sock_text, sock_text* message) {
    *message = {"no\nway", 6};
    return 1;
  };
  const std::string line = answer(talks, "1");
  EXPECT_TRUE(is_error(line, "HandlerFailed")) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Handle size_without_data = [](sock_text, sock_text* result) {
    result->size = 100;
    return 0;
  };
  EXPECT_TRUE(is_error(answer(size_without_data, "1"), "InvalidResult"));
}

}  // namespace
}  // namespace sock::zygote
