#pragma once

// A Host of its own for each test, in a fresh state directory, and short ways to run a payload.
//
// SOCK_TEST_WITHOUT (a comma-separated list of features) and SOCK_TEST_CGROUPS (v1, v2, none) let
// the same tests run on the fallback paths.

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sock/sock.hpp"

namespace sock::test {

/// What a payload printed, and how it ended.
struct Outcome {
  ExitStatus status;
  std::string out;
  std::string err;
};

[[nodiscard]] HostOptions host_options(const std::string& state_dir);
[[nodiscard]] bool is_rootless();
/// The kernel has the feature, and SOCK_TEST_WITHOUT does not switch it off.
[[nodiscard]] bool is_tested_with(const std::string& feature);

class HostTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] Host& host() { return *host_; }
  /// A directory that is removed after the test.
  [[nodiscard]] const std::string& scratch() const { return scratch_; }

  /// host_image, `sh -c script`, as nobody.
  [[nodiscard]] ContainerSpec shell(const std::string& script) const;
  /// Creates, collects both outputs (at most 1 MiB each), and waits at most 20 s.
  Outcome run(ContainerSpec spec);
  Outcome run_shell(const std::string& script) { return run(shell(script)); }
  /// The error that create() gives; fails the test when it succeeds.
  Error create_error(const ContainerSpec& spec);
  /// Makes a container whose memory is limited. The error: what this machine lacks for it.
  [[nodiscard]] Result<> try_memory_limit();
  [[nodiscard]] bool has_cgroups() { return host().cgroup_backend() != CgroupBackend::none; }

 private:
  std::string scratch_;
  std::unique_ptr<Host> host_;
};

/// Reads a pipe to its end, at most `limit` bytes and 20 s.
std::string drain(FdRef pipe, std::size_t limit = 1U << 20U);

struct TestPipe {
  UniqueFd reader;
  UniqueFd writer;
};
TestPipe make_pipe();

/// Reads until `expected` has appeared, at most 20 s; returns all that was read.
std::string read_until(FdRef pipe, const std::string& expected);

[[nodiscard]] inline std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

}  // namespace sock::test
