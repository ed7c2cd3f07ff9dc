// Starting a program in the background: what reaches it and what does not.

#include <array>
#include <cerrno>

#include <sys/wait.h>

#include "state_dir.hpp"
#include "sys/program.hpp"

namespace sock::testing {
namespace {

class StartedDaemon : public StateDir {
 protected:
  UniqueFd make_file(const std::string& name) const {
    return std::move(*sys::open(sys::cwd, (parent / name).string(), O_RDWR | O_CREAT, 0600));
  }
  static Result<> run_shell(const std::string& script, std::span<const FdRef> descriptors = {}) {
    const std::array<std::string, 3> arguments{"/bin/sh", "-c", script};
    auto started = sys::Daemon::start(arguments, descriptors);
    return started ? started->await() : Result<>{std::unexpected(started.error())};
  }
};

// Opened in a row, they are likely to be 3 and 4 themselves, and are passed the other way round.
TEST_F(StartedDaemon, GetsDescriptorsWhoseNumbersAreInEachOthersWay) {
  const UniqueFd first = make_file("first");
  const UniqueFd second = make_file("second");
  const std::array<FdRef, 2> swapped{second.ref(), first.ref()};
  const auto result =
      run_shell("[ $(readlink /proc/$$/fd/3) = " + (parent / "second").string() +
                    " ] && [ $(readlink /proc/$$/fd/4) = " + (parent / "first").string() + " ]",
                swapped);
  EXPECT_TRUE(result) << result.error().message();
}

TEST_F(StartedDaemon, HasNoEnvironmentAndASessionOfItsOwn) {
  const auto result = run_shell(
      "[ $(tr '\\0' '\\n' < /proc/$$/environ | wc -l) = 0 ] && "
      "[ $(cut -d ' ' -f 6 /proc/$$/stat) = $$ ] && [ $(readlink /proc/$$/fd/0) = /dev/null ]");
  EXPECT_TRUE(result) << result.error().message();
}

TEST_F(StartedDaemon, IsAFailureWhenItSaysSo) {
  const auto code = run_shell("exit 3");
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, Errc::launch_failed);
  EXPECT_NE(code.error().hint.find('3'), std::string::npos);
  EXPECT_FALSE(run_shell("kill -9 $$"));
}

TEST_F(StartedDaemon, IsReapedEvenWhenNobodyAsksForIt) {
  const std::array<std::string, 3> arguments{"/bin/sh", "-c", "exit 0"};
  { ASSERT_TRUE(sys::Daemon::start(arguments, {})); }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace sock::testing
