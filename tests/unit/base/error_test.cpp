// The one line that people read of an error, the names in it, and how errors travel.

#include <cerrno>
#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/try.hpp"

namespace sock {
namespace {

TEST(ErrorMessage, NamesStageSubjectReasonAndCode) {
  const Error error{.code = Errc::not_found,
                    .stage = Stage::rootfs,
                    .sys_errno = ENOENT,
                    .subject = "/srv/py311"};
  EXPECT_EQ(error.message(), "rootfs: /srv/py311: No such file or directory (not_found)");
}

TEST(ErrorMessage, PutsTheHintBehindASemicolon) {
  const Error error{.code = Errc::invalid_spec,
                    .stage = Stage::validate,
                    .subject = "argv",
                    .hint = "there is no program to run"};
  EXPECT_EQ(error.message(), "validate: argv (invalid_spec); there is no program to run");
}

TEST(ErrorMessage, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ((Error{.code = Errc::io}.message()), "none (io)");
  EXPECT_EQ((Error{.code = Errc::denied, .stage = Stage::clone, .sys_errno = EPERM}.message()),
            "clone: Operation not permitted (denied)");
}

// What comes from a tenant must not start a line in a log or steer a terminal.
TEST(ErrorMessage, EscapesControlCharactersOfTheSubject) {
  const std::string subject{"a\nb\x1b[2J\x7f\r\t\0z", 12};
  const Error error{.code = Errc::io, .subject = subject};
  EXPECT_EQ(error.message(), "none: a\\x0ab\\x1b[2J\\x7f\\x0d\\x09\\x00z (io)");
}

TEST(ErrorMessage, EscapesControlCharactersOfTheHint) {
  const Error error{.code = Errc::io, .hint = "try\nthis"};
  EXPECT_EQ(error.message(), "none (io); try\\x0athis");
}

TEST(ErrorMessage, LeavesOtherAlphabetsReadable) {
  const Error error{.code = Errc::io, .subject = "/srv/größe"};
  EXPECT_EQ(error.message(), "none: /srv/größe (io)");
}

TEST(Printable, EscapesWhatEightBitTerminalsObey) {
  EXPECT_EQ(printable("a\u009b2Jb"), "a\\xc2\\x9b2Jb");  // CSI as UTF-8
  EXPECT_EQ(printable("a\x9b"
                      "2J"),
            "a\\x9b2J");  // CSI as one byte: no UTF-8
  EXPECT_EQ(printable("\u0080\u009f\u00a0"), "\\xc2\\x80\\xc2\\x9f\u00a0");
}

TEST(Printable, EscapesWhatBeginsALineOrReordersIt) {
  EXPECT_EQ(printable("a\u2028b\u2029"), "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9");
  EXPECT_EQ(printable("\u202efdp.exe"), "\\xe2\\x80\\xaefdp.exe");
  EXPECT_EQ(printable("\u2066\u2069\u061c"), "\\xe2\\x81\\xa6\\xe2\\x81\\xa9\\xd8\\x9c");
  EXPECT_EQ(printable("a\u200bb\ufeff"), "a\\xe2\\x80\\x8bb\\xef\\xbb\\xbf");
}

TEST(Printable, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // a longer form than needed
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  EXPECT_EQ(printable("gr\xc3"), "gr\\xc3");                         // cut off
  EXPECT_EQ(printable("\xe2\x80z"), "\\xe2\\x80z");
}

TEST(Printable, LeavesEveryAlphabetAlone) {
  const std::string text = "größe Ελληνικά 日本語 עברית 🙂 \\";
  EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable(""), "");
}

TEST(ErrorNames, AreDifferentForEveryCode) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Errc::io); ++code)
    names.insert(to_string(static_cast<Errc>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Errc::io) + 1);
  EXPECT_FALSE(names.contains(""));
}

TEST(ErrorNames, AreDifferentForEveryStage) {
  std::set<std::string_view> names;
  for (int stage = 0; stage <= static_cast<int>(Stage::stats); ++stage)
    names.insert(to_string(static_cast<Stage>(stage)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Stage::stats) + 1);
  EXPECT_FALSE(names.contains(""));
}

TEST(ErrorNames, AreTheEnumeratorsOwn) {
  EXPECT_EQ(to_string(Errc::invalid_spec), "invalid_spec");
  EXPECT_EQ(to_string(Errc::launch_failed), "launch_failed");
  EXPECT_EQ(to_string(Errc::io), "io");
  EXPECT_EQ(to_string(Stage::none), "none");
  EXPECT_EQ(to_string(Stage::cgroup_join), "cgroup_join");
  EXPECT_EQ(to_string(Stage::seccomp), "seccomp");
  EXPECT_EQ(to_string(Stage::stats), "stats");
}

// As lib/child/run.cpp runs them: timings() and every report rely on it.
TEST(ErrorNames, OfTheLaunchStandInTheOrderInWhichItsStagesRun) {
  std::string order;
  for (int stage = 1; stage <= static_cast<int>(Stage::exec); ++stage)
    order += std::string{to_string(static_cast<Stage>(stage))} + " ";
  EXPECT_EQ(order,
            "validate state cgroup rootfs clone import_modules fork restore cgroup_join namespaces "
            "mounts "
            "root identity capabilities landlock rlimits seccomp exec ");
}

Result<std::unique_ptr<int>> give(int value) {
  if (value < 0) return base::refuse(Errc::exhausted, Stage::none, "value");
  return std::make_unique<int>(value);
}

Result<int> twice(int value) {
  const std::unique_ptr<int> given = SOCK_TRY(give(value));
  return *given * 2;
}

TEST(Try, GivesTheValueEvenIfItCanOnlyBeMoved) {
  EXPECT_EQ(twice(21).value(), 42);
}

TEST(Try, ReturnsTheErrorAsItIs) {
  const auto result = twice(-1);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::exhausted);
  EXPECT_EQ(result.error().subject, "value");
}

TEST(InStage, NamesTheStageOfAnErrorThatHasNone) {
  EXPECT_EQ(base::in_stage(Stage::cgroup, give(-1)).error().stage, Stage::cgroup);
}

TEST(InStage, KeepsTheStageThatALowerLayerHasNamed) {
  Result<> failed = base::refuse(Errc::io, Stage::rootfs, "tmpfs");
  EXPECT_EQ(base::in_stage(Stage::cgroup, std::move(failed)).error().stage, Stage::rootfs);
}

TEST(InStage, LeavesAValueAlone) {
  EXPECT_EQ(*base::in_stage(Stage::cgroup, give(3)).value(), 3);
}

TEST(Refuse, ClaimsNoSystemCall) {
  const Result<> refused = base::refuse(Errc::exists, Stage::validate, "name", "take another");
  EXPECT_EQ(refused.error().sys_errno, 0);
  EXPECT_EQ(refused.error().hint, "take another");
}

}  // namespace
}  // namespace sock
