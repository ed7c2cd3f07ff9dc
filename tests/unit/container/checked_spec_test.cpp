// Specs: every refusal that needs no system call, and what a good one becomes.

#include "container/checked_spec.hpp"

#include <functional>
#include <string>

#include <linux/capability.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

namespace sock::container {
namespace {

using Strings = std::vector<std::string>;

ContainerSpec good() {
  return {.name = "job-1", .rootfs = {.base = std::string{host_image}}, .argv = {"/bin/true"}};
}

NamedFd named(std::string name) {
  return {.name = std::move(name), .fd = FdRef{0}};
}

struct Change {
  const char* name;
  std::function<void(ContainerSpec&)> make;
  const char* subject = "";
};
std::string name_of(const ::testing::TestParamInfo<Change>& test) {
  return test.param.name;
}

constexpr auto none = static_cast<uid_t>(-1);

const Change mistakes[] = {
    {"EmptyName", [](auto& s) { s.name = ""; }, "name"},
    {"LongName", [](auto& s) { s.name.assign(65, 'a'); }, "name"},
    {"NameWithASlash", [](auto& s) { s.name = "a/b"; }, "name \"a/b\""},
    {"NameThatBeginsWithADot", [](auto& s) { s.name = ".."; }, "name \"..\""},
    {"NameThatBeginsWithADash", [](auto& s) { s.name = "-x"; }, "name \"-x\""},
    {"NameWithAnUmlaut", [](auto& s) { s.name = "ä"; }, "name \"ä\""},
    {"EmptyHostname", [](auto& s) { s.hostname = ""; }, "hostname \"\""},
    {"HostnameWithASpace", [](auto& s) { s.hostname = "a b"; }, "hostname \"a b\""},
    {"NoProgram", [](auto& s) { s.argv = {}; }, "argv"},
    {"EmptyProgram", [](auto& s) { s.argv = {""}; }, "argv[0]"},
    {"RelativeProgram", [](auto& s) { s.argv = {"bin/true"}; }, "program \"bin/true\""},
    {"ArgumentWithANul",
     [](auto& s) {
       s.argv.push_back(std::string{"a\0b", 3});
     },
     "argv"},
    {"VariableWithANul",
     [](auto& s) {
       s.env = {std::string{"A=\0", 3}};
     },
     "env"},
    {"VariableWithoutAValue", [](auto& s) { s.env = {"A"}; }, "env \"A\""},
    {"VariableWithoutAName", [](auto& s) { s.env = {"=1"}; }, "env \"=1\""},
    {"EmptyVariable", [](auto& s) { s.env = {""}; }, "env \"\""},
    {"EmptyPath",
     [](auto& s) {
       s.argv = {"true"};
       s.env = {"PATH="};
     },
     "PATH"},
    {"PathWithoutAnAbsoluteDirectory",
     [](auto& s) {
       s.argv = {"true"};
       s.env = {"PATH=.:bin:"};
     },
     "PATH"},
    {"RelativeCwd", [](auto& s) { s.cwd = "srv"; }, "cwd \"srv\""},
    {"CwdWithDotDot", [](auto& s) { s.cwd = "/srv/.."; }, "cwd \"/srv/..\""},
    {"NoUid", [](auto& s) { s.identity.uid = none; }, "uid"},
    {"NoGid", [](auto& s) { s.identity.gid = none; }, "uid"},
    {"TooManyGroups", [](auto& s) { s.identity.groups.assign(65, 1); }, "groups"},
    {"UnknownCapability",
     [](auto& s) { s.identity.capabilities = {unsafe::Capability{"cap_fly"}}; },
     "capability \"cap_fly\""},
    {"CapabilityByNumber", [](auto& s) { s.identity.capabilities = {unsafe::Capability{"21"}}; },
     "capability \"21\""},
    {"CapabilityWithoutItsPrefix",
     [](auto& s) { s.identity.capabilities = {unsafe::Capability{"net_raw"}}; },
     "capability \"net_raw\""},
    {"UnknownRlimit",
     [](auto& s) {
       s.rlimits = {Rlimit{"wings", 2}};
     },
     "rlimit \"wings\""},
    {"RlimitWithItsPrefix",
     [](auto& s) {
       s.rlimits = {Rlimit{"RLIMIT_CPU", 2}};
     },
     "rlimit \"RLIMIT_CPU\""},
    {"TooManyFds", [](auto& s) { s.fds.assign(33, named("a")); }, "fds"},
    {"NamelessFd", [](auto& s) { s.fds = {named("")}; }, "descriptor \"\""},
    // The names are separated by colons in SOCK_FDS.
    {"FdNameWithAColon", [](auto& s) { s.fds = {named("a:b")}; }, "descriptor \"a:b\""},
    {"EmptyFd", [](auto& s) { s.fds = {NamedFd{.name = "log", .fd = {}}}; }, "descriptor \"log\""},
    {"ShortCpuPeriod", [](auto& s) { s.resources.cpu_period = std::chrono::microseconds{999}; },
     "cpu_period"},
    {"LongCpuPeriod",
     [](auto& s) { s.resources.cpu_period = std::chrono::microseconds{1'000'001}; }, "cpu_period"},
    {"ShortCpuQuota", [](auto& s) { s.resources.cpu_quota = std::chrono::microseconds{999}; },
     "cpu_quota"},
    {"NoCpuWeight", [](auto& s) { s.resources.cpu_weight = 0; }, "cpu_weight"},
    {"HighCpuWeight", [](auto& s) { s.resources.cpu_weight = 10'001; }, "cpu_weight"},
    {"NoProcesses", [](auto& s) { s.resources.pids_max = 0; }, "pids_max"},
    {"NothingToJoin", [](auto& s) { s.namespaces.network = Network::join(FdRef{}); }, "network"},
    {"SharedPidsWithAnInit", [](auto& s) { s.namespaces.shared = unsafe::Shared::pid; }, "init"},
    {"NoUidMap",
     [](auto& s) {
       s.namespaces.user = UserNamespace{.uids = {}, .gids = {{0, 1, 1}}};
     },
     "uid map"},
    {"NoGidMap",
     [](auto& s) {
       s.namespaces.user = UserNamespace{.uids = {{0, 1, 1}}, .gids = {}};
     },
     "gid map"},
    {"EmptyRange",
     [](auto& s) {
       s.namespaces.user = UserNamespace{.uids = {{0, 1, 0}}, .gids = {{0, 1, 1}}};
     },
     "uid map"},
    {"RangeBeyondTheLastId",
     [](auto& s) {
       s.namespaces.user = UserNamespace{.uids = {{0, 1, 1}}, .gids = {{0, 1, 0xffff'ffff}}};
     },
     "gid map"},
    {"TooManyRanges",
     [](auto& s) {
       s.namespaces.user =
           UserNamespace{.uids = std::vector<IdRange>(341, IdRange{0, 1, 1}), .gids = {{0, 1, 1}}};
     },
     "uid map"},
    {"NoTime", [](auto& s) { s.time_limit = std::chrono::milliseconds{0}; }, "time_limit"},
    {"NegativeTime", [](auto& s) { s.time_limit = std::chrono::milliseconds{-1}; }, "time_limit"},
    {"RelativeRootfs", [](auto& s) { s.rootfs.base = "image"; }, "rootfs \"image\""},
};

class SpecMistake : public ::testing::TestWithParam<Change> {};

TEST_P(SpecMistake, IsRefusedByName) {
  ContainerSpec spec = good();
  GetParam().make(spec);
  const auto checked = check(spec);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, Errc::invalid_spec);
  EXPECT_EQ(checked.error().stage, Stage::validate);
  EXPECT_EQ(checked.error().subject, GetParam().subject);
  EXPECT_NE(checked.error().hint, "") << "it says what, but not why";
}

INSTANTIATE_TEST_SUITE_P(All, SpecMistake, ::testing::ValuesIn(mistakes), name_of);

const Change limits_of_the_good[] = {
    {"ShortName", [](auto& s) { s.name = "0"; }},
    {"LongName", [](auto& s) { s.name.assign(64, 'a'); }},
    {"AllCharacters", [](auto& s) { s.name = "A0_.-"; }},
    {"EmptyArgument", [](auto& s) { s.argv.push_back(""); }},
    {"EmptyValue", [](auto& s) { s.env = {"A="}; }},
    {"ValueWithAnEqualsSign", [](auto& s) { s.env = {"A=b=c"}; }},
    {"Root", [](auto& s) { s.identity = {.uid = 0, .gid = 0}; }},
    {"MostFds",
     [](auto& s) {
       for (int i = 0; i < 32; ++i) s.fds.push_back(named("fd-" + std::to_string(i)));
     }},
    {"MostGroups", [](auto& s) { s.identity.groups.assign(64, 1); }},
    {"ShortestCpu",
     [](auto& s) {
       s.resources.cpu_period = s.resources.cpu_quota.emplace(std::chrono::milliseconds{1});
     }},
    {"LongestCpuPeriod", [](auto& s) { s.resources.cpu_period = std::chrono::seconds{1}; }},
    {"ManyCpus", [](auto& s) { s.resources.cpu_quota = std::chrono::seconds{6}; }},
    {"LowWeight", [](auto& s) { s.resources.cpu_weight = 1; }},
    {"HighWeight", [](auto& s) { s.resources.cpu_weight = 10'000; }},
    {"OneProcess", [](auto& s) { s.resources.pids_max = 1; }},
    {"NoLimitOfProcesses", [](auto& s) { s.resources.pids_max.reset(); }},
    {"OneMillisecond", [](auto& s) { s.time_limit = std::chrono::milliseconds{1}; }},
    {"SharedPidsWithoutInit",
     [](auto& s) {
       s.namespaces.shared = unsafe::Shared::pid;
       s.init = Init::none;
     }},
    {"WholeIdRange",
     [](auto& s) {
       s.namespaces.user =
           UserNamespace{.uids = {{0, 0, 0xffff'ffff}}, .gids = {{0, 0, 0xffff'ffff}}};
     }},
};

class GoodSpec : public ::testing::TestWithParam<Change> {};

TEST_P(GoodSpec, IsAccepted) {
  ContainerSpec spec = good();
  GetParam().make(spec);
  const auto checked = check(spec);
  EXPECT_TRUE(checked.has_value()) << checked.error().message();
}

INSTANTIATE_TEST_SUITE_P(All, GoodSpec, ::testing::ValuesIn(limits_of_the_good), name_of);

TEST(CheckedSpec, CarriesPathsClean) {
  ContainerSpec spec = good();
  spec.cwd = "//srv/./job/";
  spec.rootfs.base = "/image/";
  const CheckedSpec checked = check(spec).value();
  EXPECT_EQ(checked.cwd, "/srv/job");
  EXPECT_EQ(checked.rootfs.base, "/image");
}

TEST(CheckedSpec, TriesAnAbsoluteProgramOnly) {
  EXPECT_EQ(check(good()).value().programs, Strings{"/bin/true"});
}

TEST(CheckedSpec, LooksANameUpInTheContainersPathInOrder) {
  ContainerSpec spec = good();
  spec.argv = {"true"};
  spec.env = {"PATH=/opt/bin:relative::/bin"};
  EXPECT_EQ(check(spec).value().programs, (Strings{"/opt/bin/true", "/bin/true"}));
}

TEST(CheckedSpec, TakesTheLastOfTwoPaths) {
  ContainerSpec spec = good();
  spec.argv = {"true"};
  spec.env = {"PATH=/a", "PATH=/b"};
  EXPECT_EQ(check(spec).value().programs, Strings{"/b/true"});
}

TEST(CheckedSpec, HasAPathOfItsOwnWhereTheEnvironmentHasNone) {
  ContainerSpec spec = good();
  spec.argv = {"true"};
  spec.env = {"XPATH=/a"};
  const Strings programs = check(spec).value().programs;
  ASSERT_EQ(programs.size(), 6U);
  EXPECT_EQ(programs.front(), "/usr/local/bin/true");
  EXPECT_EQ(programs.back(), "/sbin/true");
}

TEST(CheckedSpec, HasNoCapabilityUnlessNamed) {
  EXPECT_EQ(check(good()).value().capabilities.bits, 0U);
  ContainerSpec spec = good();
  spec.identity.capabilities = {unsafe::Capability{"cap_chown"}, unsafe::Capability{"cap_net_raw"}};
  EXPECT_EQ(check(spec).value().capabilities.bits,
            std::uint64_t{1} << CAP_CHOWN | std::uint64_t{1} << CAP_NET_RAW);
}

TEST(CheckedSpec, DumpsNoCoreUnlessAsked) {
  const auto limits = check(good()).value().rlimits;
  ASSERT_EQ(limits.size(), 1U);
  EXPECT_EQ(limits[0].resource, RLIMIT_CORE);
  EXPECT_EQ(limits[0].value, 0U);
  ContainerSpec spec = good();
  spec.rlimits = {{"core", 4096}, {"nofile", 64}};
  const auto asked = check(spec).value().rlimits;
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].value, 4096U);
  EXPECT_EQ(asked[1].resource, RLIMIT_NOFILE);
}

TEST(CheckedExec, RefusesWhatCreateRefuses) {
  EXPECT_EQ(check(ExecSpec{.argv = {}}).error().subject, "argv");
  EXPECT_EQ(check(ExecSpec{.argv = {"a/b"}}).error().subject, "program \"a/b\"");
  EXPECT_EQ(check(ExecSpec{.argv = {"/a"}, .env = {"A"}}).error().subject, "env \"A\"");
  EXPECT_EQ(check(ExecSpec{.argv = {"/a"}, .cwd = "a"}).error().subject, "cwd \"a\"");
  EXPECT_EQ(check(ExecSpec{.argv = {"/a"}, .identity = {.uid = none}}).error().subject, "uid");
}

TEST(CheckedExec, LooksANameUpAsCreateDoes) {
  const CheckedCommand checked = check(ExecSpec{.argv = {"ls"}, .env = {"PATH=/b"}}).value();
  EXPECT_EQ(checked.programs, Strings{"/b/ls"});
  EXPECT_EQ(checked.capabilities.bits, 0U);
}

}  // namespace
}  // namespace sock::container
