// What `zygote doctor` concludes.

#include "sockctl/zygote_findings.hpp"

#include <gtest/gtest.h>

namespace sockctl {
namespace {

using Outcome = Finding::Outcome;

TEST(ZygoteFindings, AZygoteHasOneThreadNoNewPrivilegeAndAFilter) {
  for (const auto& finding :
       judge_status("Name:\tpython3\nThreads:\t1\nNoNewPrivs:\t1\nSeccomp:\t2\n"))
    EXPECT_EQ(finding.outcome, Outcome::ok) << finding.name;
  const auto bad = judge_status("Threads:\t3\nNoNewPrivs:\t0\n");
  ASSERT_EQ(bad.size(), 3U);
  for (const auto& finding : bad) EXPECT_EQ(finding.outcome, Outcome::failed) << finding.name;
  EXPECT_EQ(bad.front().found, "3");
}

TEST(ZygoteFindings, ItsRootIsNobodyOutside) {
  EXPECT_EQ(judge_uid_map("         0 1610612736      65536\n").outcome, Outcome::ok);
  EXPECT_EQ(judge_uid_map("         0          0 4294967295\n").outcome, Outcome::failed);
  EXPECT_EQ(judge_uid_map("").outcome, Outcome::failed);
}

TEST(ZygoteFindings, DescriptorsThatModulesLeftAreNamed) {
  EXPECT_EQ(judge_descriptors({"/dev/null", "socket:[123]"}).outcome, Outcome::ok);
  const auto left = judge_descriptors({"/dev/null", "/etc/hosts", "/tmp/x"});
  EXPECT_EQ(left.outcome, Outcome::degraded);
  EXPECT_EQ(left.found, "/etc/hosts, /tmp/x");
}

TEST(ZygoteFindings, SiblingsShareNothingRandom) {
  EXPECT_EQ(judge_siblings("random 1\nuuid4 2\n", "random 3\nuuid4 4\n").outcome, Outcome::ok);
  const auto shared = judge_siblings("random 1\nuuid4 2\n", "random 1\nuuid4 4\n");
  EXPECT_EQ(shared.outcome, Outcome::failed);
  EXPECT_NE(shared.found.find("random"), std::string::npos);
  EXPECT_EQ(judge_siblings("", "").outcome, Outcome::failed);
}

}  // namespace
}  // namespace sockctl
