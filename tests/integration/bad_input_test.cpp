// Each mistake gets an error that names what is wrong, and leaves nothing behind.

#include <filesystem>
#include <fstream>
#include <functional>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

struct Mistake {
  const char* name;
  std::function<void(ContainerSpec&)> make;
  Errc code;
  Stage stage;
  const char* says;
};

const Mistake mistakes[] = {
    {"RelativeRootfs", [](auto& s) { s.rootfs.base = "image"; }, Errc::invalid_spec,
     Stage::validate, "absolute"},
    {"MissingRootfs", [](auto& s) { s.rootfs.base = "/no/such/image"; }, Errc::not_found,
     Stage::rootfs, "/no/such/image"},
    {"RootfsIsAFile", [](auto& s) { s.rootfs.base = "/usr/bin/env"; }, Errc::not_found,
     Stage::rootfs, "/usr/bin/env"},
    {"EmptyArgv", [](auto& s) { s.argv = {}; }, Errc::invalid_spec, Stage::validate, "no program"},
    {"RelativeProgram", [](auto& s) { s.argv = {"./x"}; }, Errc::invalid_spec, Stage::validate,
     "./x"},
    {"MissingProgram", [](auto& s) { s.argv = {"/no/such/program"}; }, Errc::not_found, Stage::exec,
     "/no/such/program"},
    {"ProgramIsADirectory", [](auto& s) { s.argv = {"/usr"}; }, Errc::denied, Stage::exec, "/usr"},
    {"NameWithASlash", [](auto& s) { s.name = "../x"; }, Errc::invalid_spec, Stage::validate,
     "../x"},
    {"EmptyName", [](auto& s) { s.name = ""; }, Errc::invalid_spec, Stage::validate, "name"},
    {"EnvWithoutValue", [](auto& s) { s.env = {"A"}; }, Errc::invalid_spec, Stage::validate,
     "NAME=value"},
    {"MissingCwd", [](auto& s) { s.cwd = "/no/such/dir"; }, Errc::not_found, Stage::root,
     "/no/such/dir"},
    {"CwdWithDotDot", [](auto& s) { s.cwd = "/usr/../.."; }, Errc::invalid_spec, Stage::validate,
     ".."},
    {"UnknownCapability",
     [](auto& s) { s.identity.capabilities = {unsafe::Capability{"cap_fly"}}; }, Errc::invalid_spec,
     Stage::validate, "cap_fly"},
    {"UnknownRlimit",
     [](auto& s) {
       s.rlimits = {{"wings", 2}};
     },
     Errc::invalid_spec, Stage::validate, "wings"},
    {"MissingBindSource",
     [](auto& s) {
       s.rootfs.binds = {{"/no/such/source", "/x"}};
     },
     Errc::not_found, Stage::rootfs, "/no/such/source"},
    {"BindOverProc",
     [](auto& s) {
       s.rootfs.binds = {{"/usr", "/proc/x"}};
     },
     Errc::invalid_spec, Stage::validate, "/proc/x"},
    {"SharedPidWithInit", [](auto& s) { s.namespaces.shared = unsafe::Shared::pid; },
     Errc::invalid_spec, Stage::validate, "init"},
    {"EmptyUserMap", [](auto& s) { s.namespaces.user = UserNamespace{}; }, Errc::invalid_spec,
     Stage::validate, "uid map"},
    {"IdThatIsNone", [](auto& s) { s.identity.uid = static_cast<uid_t>(-1); }, Errc::invalid_spec,
     Stage::validate, "uid"},
    {"ZeroTimeLimit", [](auto& s) { s.time_limit = std::chrono::milliseconds{0}; },
     Errc::invalid_spec, Stage::validate, "time_limit"},
};

class BadInput : public HostTest, public ::testing::WithParamInterface<Mistake> {};

TEST_P(BadInput, IsNamed) {
  ContainerSpec spec = shell("true");
  GetParam().make(spec);
  const Error error = create_error(spec);
  EXPECT_EQ(error.code, GetParam().code) << error.message();
  EXPECT_EQ(error.stage, GetParam().stage) << error.message();
  EXPECT_NE(error.message().find(GetParam().says), std::string::npos) << error.message();
  EXPECT_EQ(run_shell("exit 0").status.value, 0);  // The name is free, and the Host unharmed.
}

INSTANTIATE_TEST_SUITE_P(All, BadInput, ::testing::ValuesIn(mistakes),
                         [](const auto& test) { return std::string{test.param.name}; });

using BadHost = HostTest;

TEST_F(BadHost, RefusesAStateDirectoryThatOthersMayWriteTo) {
  const std::string dir = scratch() + "/open";
  std::filesystem::create_directory(dir);
  std::filesystem::permissions(dir, std::filesystem::perms::all);
  const auto opened = Host::open(host_options(dir));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().stage, Stage::state);
}

TEST_F(BadHost, RefusesAnUnknownFeature) {
  HostOptions options = host_options(scratch() + "/other");
  options.without = {"wings"};
  const auto opened = Host::open(options);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::invalid_spec);
}

TEST_F(BadHost, NamesTheMissingHelperProgram) {
  HostOptions options = host_options(scratch() + "/other");
  options.libexec_dir = scratch();
  const auto opened = Host::open(options);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().message().find("libexec"), std::string::npos)
      << opened.error().message();
}

}  // namespace
}  // namespace sock::test
