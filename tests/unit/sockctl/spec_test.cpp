// From the options of `run` to a container, and the options' way to a monitor.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sockctl/run_options.hpp"
#include "sockctl/state_dir.hpp"

namespace sockctl {
namespace {

Caller caller(uid_t uid = 0) {
  return {.directory = "/here", .uid = uid, .gid = uid, .variable = [](const std::string& name) {
            return name == "SET" ? std::optional<std::string>{"yes"} : std::nullopt;
          }};
}

RunOptions minimal() {
  return {.name = "a", .command = {"true"}};
}

TEST(ToSpec, WeakensNothingUnasked) {
  const auto spec = to_spec(minimal(), caller()).value();
  EXPECT_EQ(spec.identity, sock::Identity{});
  EXPECT_EQ(spec.namespaces, sock::Namespaces{});
  EXPECT_EQ(spec.resources, sock::Resources{});
  EXPECT_EQ(spec.rootfs, sock::Rootfs{.base = "host"});
  EXPECT_EQ(spec.init, sock::Init::reaper);
  EXPECT_FALSE(spec.seccomp.has_value());
}

TEST(ToSpec, CarriesTheLimits) {
  auto options = minimal();
  options.memory = "64m";
  options.pids = "16";
  options.cpus = "0.5";
  options.wall = "2s";
  const auto spec = to_spec(options, caller()).value();
  EXPECT_EQ(spec.resources.memory_max, 64ULL << 20U);
  EXPECT_EQ(spec.resources.pids_max, 16U);
  EXPECT_EQ(spec.resources.cpu_quota, std::chrono::microseconds{50'000});
  EXPECT_EQ(spec.time_limit, std::chrono::milliseconds{2000});
}

TEST(ToSpec, ReplacesADefaultTmpfsOnTheSameDirectory) {
  auto options = minimal();
  options.tmpfs = {"/tmp:size=1m"};
  options.volumes = {"/data:/dev/shm"};
  const auto spec = to_spec(options, caller()).value();
  ASSERT_EQ(spec.rootfs.tmpfs.size(), 1U);
  EXPECT_EQ(spec.rootfs.tmpfs[0].size_max, 1ULL << 20U);
}

TEST(ToSpec, MapsRootToASubordinateRangeForRootAndToItselfForAUser) {
  auto options = minimal();
  options.userns = {"auto"};
  const auto root = to_spec(options, caller(0)).value();
  EXPECT_EQ(root.namespaces.user->uids[0], (sock::IdRange{0, 100000, 65536}));
  EXPECT_EQ(root.identity.uid, 0U);
  const auto user = to_spec(options, caller(1000)).value();
  EXPECT_EQ(user.namespaces.user->uids[0], (sock::IdRange{0, 1000, 1}));
}

TEST(ToSpec, RefusesNoCommandAndABadName) {
  EXPECT_FALSE(to_spec({.name = "a"}, caller()).has_value());
  EXPECT_FALSE(to_spec({.name = "../a", .command = {"true"}}, caller()).has_value());
}

TEST(Resolve, CopiesVariablesByName) {
  auto options = minimal();
  options.env = {"A=1", "SET", "UNSET"};
  options.rootfs = "root";
  const auto resolved = resolve(options, caller()).value();
  EXPECT_EQ(resolved.env, (std::vector<std::string>{"A=1", "SET=yes"}));
  EXPECT_EQ(resolved.rootfs, "/here/root");
}

TEST(Environment, SetsOnlyWhatIsMissing) {
  const auto env = environment({"PATH=/bin"}, "xterm");
  EXPECT_EQ(env, (std::vector<std::string>{"HOME=/", "TERM=xterm", "PATH=/bin"}));
}

TEST(RunOptions, SurviveTheWayToAMonitor) {
  auto options = minimal();
  options.env = {"A=\xc3\xa4"};
  options.status_fd = 7;
  const auto back = run_options_from_json(to_json(options).dump()).value();
  EXPECT_EQ(to_json(back), to_json(options));
  for (const auto* text : {"", "[]", "{}", "null", "{\"name\":1}"})
    EXPECT_FALSE(run_options_from_json(text).has_value()) << text;
}

TEST(StateDir, IsNeverChosenBelowTmp) {
  EXPECT_EQ(choose_state_dir("", {.uid = 0}).value(), "/run/sock");
  EXPECT_EQ(choose_state_dir("", {.xdg_runtime_dir = "/run/user/1", .uid = 1}).value(),
            "/run/user/1/sock");
  EXPECT_EQ(choose_state_dir("/x", {.sock_state_dir = "/y", .uid = 1}).value(), "/x");
  EXPECT_FALSE(choose_state_dir("", {.uid = 1}).error().hint.empty());
  EXPECT_FALSE(choose_state_dir("relative", {.uid = 1}).has_value());
}

TEST(Resolve, TellsPackagesOfTheCacheFromDirectories) {
  auto options = minimal();
  options.packages = {"numpy,Pandas==1.5.3", "./mine", "/srv/theirs"};
  const auto resolved = resolve(options, caller()).value();
  EXPECT_EQ(resolved.cached_packages, (std::vector<std::string>{"numpy", "pandas==1.5.3"}));
  EXPECT_EQ(resolved.packages, (std::vector<std::string>{"/here/./mine", "/srv/theirs"}));
  EXPECT_EQ(resolved.package_cache, "/var/lib/sock/packages");
  options.packages = {"a b"};
  EXPECT_EQ(resolve(options, caller()).error().code, Errc::invalid_spec);
}

}  // namespace
}  // namespace sockctl
