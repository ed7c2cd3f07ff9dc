// Closing elsewhere: never lost, whatever the other process does.

#include "container/closer.hpp"

#include <gtest/gtest.h>

#include "sys/file.hpp"
#include "sys/message.hpp"
#include "sys/process.hpp"

namespace sock::testing {
namespace {

bool is_at_end(FdRef reader) {
  return sys::wait_readable(reader, sys::Deadline::clock::now()).value_or(false);
}

TEST(Closer, ClosesHereWhenTheOtherProcessHasGone) {
  auto pair = sys::make_message_pair();
  ASSERT_TRUE(pair);
  pair->there.reset();
  const container::Closer closer{std::move(pair->here)};
  auto pipe = sys::make_pipe();
  ASSERT_TRUE(pipe);
  closer.close(std::move(pipe->writer));
  EXPECT_TRUE(is_at_end(pipe->reader));
}

TEST(Closer, ClosesHereWhenTheOtherProcessIsBehind) {
  auto pair = sys::make_message_pair();
  ASSERT_TRUE(pair);
  const container::Closer closer{std::move(pair->here)};
  auto pipe = sys::make_pipe();
  ASSERT_TRUE(pipe);
  constexpr int far_too_many = 10'000;
  for (int i = 0; i < far_too_many; ++i) closer.close(std::move(*sys::duplicate(pipe->reader)));
  closer.close(std::move(pipe->writer));
  EXPECT_TRUE(is_at_end(pipe->reader));
}

TEST(Closer, LeavesTheCloseToTheOtherProcess) {
  auto pair = sys::make_message_pair();
  ASSERT_TRUE(pair);
  const container::Closer closer{std::move(pair->here)};
  auto pipe = sys::make_pipe();
  ASSERT_TRUE(pipe);
  closer.close(std::move(pipe->writer));
  EXPECT_FALSE(is_at_end(pipe->reader));
  pair->there.reset();  // What was not received is closed with the socket.
  EXPECT_TRUE(is_at_end(pipe->reader));
}

}  // namespace
}  // namespace sock::testing
