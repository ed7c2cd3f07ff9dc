// Exit statuses and the one line for an error.

#include "sockctl/report.hpp"

#include <cerrno>
#include <csignal>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sockctl/json_values.hpp"

namespace sockctl {
namespace {

using Kind = sock::ExitStatus::Kind;

TEST(ExitCode, IsWhatAShellWouldSay) {
  EXPECT_EQ(exit_code(sock::ExitStatus{Kind::exited, 7}), 7);
  EXPECT_EQ(exit_code(sock::ExitStatus{Kind::signaled, SIGTERM}), 143);
  EXPECT_EQ(exit_code(sock::ExitStatus{Kind::oom_killed, SIGKILL}), 137);
  EXPECT_EQ(exit_code(sock::ExitStatus{Kind::timed_out, SIGKILL}), 124);
  EXPECT_EQ(exit_code(sock::ExitStatus{Kind::lost, 0}), 125);
}

TEST(ExitCode, TellsAMissingProgramFromAMissingRoot) {
  EXPECT_EQ(exit_code(Error{Errc::not_found, Stage::exec, ENOENT}), 127);
  EXPECT_EQ(exit_code(Error{Errc::denied, Stage::exec, EACCES}), 126);
  EXPECT_EQ(exit_code(Error{Errc::io, Stage::exec, ENOEXEC}), 126);
  EXPECT_EQ(exit_code(Error{Errc::not_found, Stage::rootfs, ENOENT}), 125);
}

TEST(Describe, IsOneLineWithoutAnEmptyStage) {
  const auto text = describe({.code = Errc::closed, .subject = "a\nb\x1b", .hint = "try"});
  EXPECT_EQ(text, "a\\x0ab\\x1b (closed); try");
}

TEST(ErrorJson, BringsAnErrorBack) {
  const Error error{Errc::denied, Stage::cgroup, EPERM, "subject", "hint"};
  const auto back = error_from_json(to_json(error));
  EXPECT_EQ(describe(back), describe(error));
  EXPECT_EQ(error_from_json({{"code", 5}, {"stage", nullptr}}).code, Errc::io);
}

TEST(HumanSize, UsesBinaryUnits) {
  EXPECT_EQ(human_size(512), "512 B");
  EXPECT_EQ(human_size(64ULL << 20U), "64.0 MiB");
}

}  // namespace
}  // namespace sockctl
