// The order of versions (PEP 440).

#include "cache/version.hpp"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sock::cache {
namespace {

TEST(Version, ComesInTheOrderOfTheSpecification) {
  const std::vector<const char*> ascending{"0.9",
                                           "1.0.dev456",
                                           "1.0a1",
                                           "1.0a2.dev456",
                                           "1.0a12.dev456",
                                           "1.0a12",
                                           "1.0b1.dev456",
                                           "1.0b2",
                                           "1.0b2.post345.dev456",
                                           "1.0b2.post345",
                                           "1.0rc1.dev456",
                                           "1.0rc1",
                                           "1.0",
                                           "1.0+abc.5",
                                           "1.0+abc.7",
                                           "1.0+5",
                                           "1.0.post456.dev34",
                                           "1.0.post456",
                                           "1.0.15",
                                           "1.1.dev1",
                                           "1.10",
                                           "2022.7.1",
                                           "1!0.1"};
  for (std::size_t i = 0; i + 1 < ascending.size(); ++i) {
    ASSERT_TRUE(Version::parse(ascending[i])) << ascending[i];
    EXPECT_TRUE(compare_versions(ascending[i], ascending[i + 1]) < 0)
        << ascending[i] << " is before " << ascending[i + 1];
  }
}

TEST(Version, IsTheSameInEachOfItsSpellings) {
  for (const auto& [one, other] :
       std::vector<std::pair<const char*, const char*>>{{"1.0", "v1.0.0"},
                                                        {"1.0rc1", "1.0-c.1"},
                                                        {"1.0RC1", "1.0_preview1"},
                                                        {"1.0a0", "1.0alpha"},
                                                        {"1.0.post1", "1.0-1"},
                                                        {"1.0.post0", "1.0rev"},
                                                        {"1.0.dev0", "1.0dev"},
                                                        {"1.0+ubuntu.1", "1.0+ubuntu-1"}})
    EXPECT_TRUE(compare_versions(one, other) == 0) << one << " is " << other;
}

TEST(Version, IsNotAnyText) {
  for (const char* text : {"", "x", "1.x", "1.0+", "1.0+a..b", "1..0", "1.0 ", "1.0.dev1.dev2",
                           "99999999999999999999", "1.99999999999999999999"})
    EXPECT_FALSE(Version::parse(text)) << text;
  EXPECT_TRUE(compare_versions("unknown", "0.0.1.dev1") < 0) << "what is none is before all";
  EXPECT_TRUE(compare_versions("unknown", "unknown") == 0);
}

}  // namespace
}  // namespace sock::cache
