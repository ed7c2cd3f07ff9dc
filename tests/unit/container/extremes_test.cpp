// Every number of a spec at its bounds, and one beyond them.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "container/checked_spec.hpp"

namespace sock::container {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint64_t most_bytes = std::numeric_limits<std::int64_t>::max();

struct Extreme {
  const char* name;
  std::function<void(ContainerSpec&)> make;
  const char* refused = "";  ///< The subject; empty: accepted.
};

void set_quota(ContainerSpec& spec, microseconds quota) {
  spec.resources.cpu_quota = quota;
}
Tmpfs& tmpfs_of(ContainerSpec& spec) {
  spec.rootfs.tmpfs = {{.target = "/tmp"}};
  return spec.rootfs.tmpfs.front();
}

const Extreme extremes[] = {
    {"MostMemory", [](auto& s) { s.resources.memory_max = most_bytes; }},
    {"MoreMemory", [](auto& s) { s.resources.memory_max = most_bytes + 1; }, "memory_max"},
    {"AllMemory", [](auto& s) { s.resources.memory_max = UINT64_MAX; }, "memory_max"},
    {"OnePage", [](auto& s) { s.resources.memory_max = 4096; }},
    {"LessThanAPage", [](auto& s) { s.resources.memory_max = 4095; }, "memory_max"},
    {"NoMemory", [](auto& s) { s.resources.memory_max = 0; }, "memory_max"},
    {"MostSwap", [](auto& s) { s.resources.swap_max = most_bytes; }},
    {"MoreSwap", [](auto& s) { s.resources.swap_max = most_bytes + 1; }, "swap_max"},
    {"MostProcessors", [](auto& s) { set_quota(s, std::chrono::seconds{10'000}); }},
    {"MoreProcessors", [](auto& s) { set_quota(s, microseconds{10'000'000'001}); }, "cpu_quota"},
    {"AllProcessors", [](auto& s) { set_quota(s, microseconds::max()); }, "cpu_quota"},
    {"NegativeQuota", [](auto& s) { set_quota(s, microseconds::min()); }, "cpu_quota"},
    {"NegativePeriod", [](auto& s) { s.resources.cpu_period = microseconds::min(); }, "cpu_period"},
    {"LongestPeriod", [](auto& s) { s.resources.cpu_period = microseconds::max(); }, "cpu_period"},
    {"AllWeight", [](auto& s) { s.resources.cpu_weight = UINT32_MAX; }, "cpu_weight"},
    {"MostProcesses", [](auto& s) { s.resources.pids_max = 4'194'304; }},
    {"MoreProcesses", [](auto& s) { s.resources.pids_max = 4'194'305; }, "pids_max"},
    {"AllProcesses", [](auto& s) { s.resources.pids_max = UINT32_MAX; }, "pids_max"},
    {"MostTmpfs", [](auto& s) { tmpfs_of(s).size_max = 1ULL << 60U; }},
    // The kernel would round it up to no size at all, which is no limit.
    {"AllTmpfs", [](auto& s) { tmpfs_of(s).size_max = UINT64_MAX; }, "tmpfs /tmp"},
    {"MostInodes", [](auto& s) { tmpfs_of(s).inodes_max = 1ULL << 40U; }},
    {"AllInodes", [](auto& s) { tmpfs_of(s).inodes_max = UINT64_MAX; }, "tmpfs /tmp"},
    {"AllModeBits", [](auto& s) { tmpfs_of(s).mode = 07777; }},
    {"MoreModeBits", [](auto& s) { tmpfs_of(s).mode = 010000; }, "tmpfs /tmp"},
    {"GroupThatIsNone",
     [](auto& s) {
       s.identity.groups = {1, UINT32_MAX};
     },
     "groups"},
    {"HighestGroup", [](auto& s) { s.identity.groups = {UINT32_MAX - 1}; }},
    {"LargestRlimit",
     [](auto& s) {
       s.rlimits = {Rlimit{"nofile", UINT64_MAX}};
     }},
    {"ManyRlimits",
     [](auto& s) {
       s.rlimits.assign(65, Rlimit{"nofile", 1});
     },
     "rlimits"},
    {"LongestTime", [](auto& s) { s.time_limit = milliseconds::max(); }, "time_limit"},
    {"LongestTimeWithoutInit",
     [](auto& s) {
       s.time_limit = milliseconds::max();
       s.init = Init::none;
     },
     "time_limit"},
    {"EarliestTime", [](auto& s) { s.time_limit = milliseconds::min(); }, "time_limit"},
    {"LargestTerminal",
     [](auto& s) {
       s.stdio.terminal = Terminal{UINT16_MAX, UINT16_MAX};
     }},
    {"NoTerminalSize",
     [](auto& s) {
       s.stdio.terminal = Terminal{0, 0};
     }},
};

class Extremes : public ::testing::TestWithParam<Extreme> {};

TEST_P(Extremes, AreAcceptedOrNamed) {
  ContainerSpec spec{
      .name = "a", .rootfs = {.base = std::string{host_image}}, .argv = {"/bin/true"}};
  GetParam().make(spec);
  const auto checked = check(spec);
  const Error error = checked ? Error{.code = Errc::io} : checked.error();
  EXPECT_EQ(error.subject, GetParam().refused) << error.message();
  if (checked) return;
  EXPECT_EQ(error.code, Errc::invalid_spec);
  EXPECT_EQ(error.stage, Stage::validate);
  EXPECT_NE(error.hint, "");
}

INSTANTIATE_TEST_SUITE_P(All, Extremes, ::testing::ValuesIn(extremes),
                         [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
}  // namespace sock::container
