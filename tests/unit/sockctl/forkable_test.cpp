// What a forked container can have, and what /proc tells of its payload.

#include <gtest/gtest.h>

#include "sockctl/process_files.hpp"
#include "sockctl/run_options.hpp"

namespace sockctl {
namespace {

RunOptions python() {
  RunOptions options{.name = "box"};
  options.zygote = "z";
  options.command = {"/usr/bin/python3", "-c", "1"};
  return options;
}

TEST(Forkable, PythonWithAnyPathOrVersionIsForked) {
  EXPECT_TRUE(check_forkable(python()));
  RunOptions on_loopback = python();
  on_loopback.net = "loopback";
  EXPECT_TRUE(check_forkable(on_loopback));
  for (const char* program : {"/usr/bin/python3", "python", "python3.11"})
    EXPECT_TRUE(check_forked_command(sock::Runtime::python, {program, "job.py"})) << program;
}

TEST(Forkable, AnotherProgramIsNotFoundButByANativeZygote) {
  EXPECT_TRUE(check_forked_command(sock::Runtime::native, {"handler.so", "world"}));
  const auto checked = check_forked_command(sock::Runtime::python, {"sh", "-c", "true"});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().stage, Stage::exec);
  EXPECT_EQ(checked.error().code, Errc::not_found);
}

TEST(Forkable, OptionsOfCreatedContainersAreRefused) {
  RunOptions detached = python();
  detached.detach = true;
  EXPECT_FALSE(check_forkable(detached));
  RunOptions on_host_network = python();
  on_host_network.net = "host";
  EXPECT_FALSE(check_forkable(on_host_network));
  RunOptions mapped = python();
  mapped.userns = {"auto"};
  EXPECT_FALSE(check_forkable(mapped));
}

TEST(ProcessFiles, CaughtAndIgnoredSignalsAreHandled) {
  const char* status =
      "Name:\tpython\nSigBlk:\t0000000000000000\nSigIgn:\t0000000001001000\n"
      "SigCgt:\t0000000000000002\n";
  EXPECT_TRUE(handles_signal(status, 2));
  EXPECT_TRUE(handles_signal(status, 13));
  EXPECT_FALSE(handles_signal(status, 15));
}

}  // namespace
}  // namespace sockctl
