// Refusals that were once missing.

#include <gtest/gtest.h>

#include "container/checked_spec.hpp"
#include "isolation/rootfs/layout.hpp"

namespace sock::container {
namespace {

ContainerSpec good() {
  return {.name = "a", .rootfs = {.base = std::string{host_image}}, .argv = {"/bin/true"}};
}

TEST(Refusals, BoundTheTimeLimitToAYear) {
  ContainerSpec spec = good();
  spec.time_limit = std::chrono::milliseconds::max();
  EXPECT_EQ(check(spec).error().subject, "time_limit");
  spec.time_limit = std::chrono::hours{24 * 365};
  EXPECT_TRUE(check(spec).has_value());
}

TEST(Refusals, NameADescriptorThatStandsTwice) {
  ContainerSpec spec = good();
  spec.fds = {{.name = "log", .fd = FdRef{0}}, {.name = "log", .fd = FdRef{1}}};
  EXPECT_EQ(check(spec).error().subject, "descriptor \"log\"");
}

TEST(Refusals, NameAPackageThatWouldHideAnother) {
  ContainerSpec spec = good();
  spec.rootfs.packages = {"/a/numpy", "/b/numpy"};
  EXPECT_EQ(check(spec).error().code, Errc::invalid_spec);
  spec.rootfs.packages = {"/a/numpy", "/b/pandas"};
  EXPECT_TRUE(check(spec).has_value());
}

}  // namespace
}  // namespace sock::container
