// Files in memory that others have made, or have.

#include "sockd/sealed_memory.hpp"

#include <csignal>

#include <fcntl.h>

#include <gtest/gtest.h>

namespace sockd {
namespace {

TEST(SealedMemory, IsSomebodysWhoHasOpenedItAgain) {
  const auto file = seal("content");
  ASSERT_TRUE(file.has_value()) << file.error().message();
  const auto own = open_again(*file);
  ASSERT_TRUE(own.has_value()) << own.error().message();
  EXPECT_TRUE(is_nobody_elses(*own));
  auto theirs = open_again(*file);
  ASSERT_TRUE(theirs.has_value()) << theirs.error().message();
  EXPECT_FALSE(is_nobody_elses(*own));
  theirs->reset();
  EXPECT_TRUE(is_nobody_elses(*own));
}

TEST(SealedMemory, IsNotWaitedForWhereSomebodyHasALease) {
  const auto file = seal("content");
  ASSERT_TRUE(file.has_value()) << file.error().message();
  const auto held = open_again(*file);
  ASSERT_TRUE(held.has_value()) << held.error().message();
  ASSERT_EQ(::fcntl(held->get(), F_SETSIG, SIGURG), 0);
  ASSERT_EQ(::fcntl(held->get(), F_SETLEASE, F_WRLCK), 0);
  EXPECT_FALSE(open_again(*file).has_value());
  ASSERT_EQ(::fcntl(held->get(), F_SETLEASE, F_UNLCK), 0);
  EXPECT_TRUE(open_again(*file).has_value());
}

}  // namespace
}  // namespace sockd
