// Requirements, their versions and their markers (PEP 508).

#include "cache/requirement.hpp"

#include <gtest/gtest.h>

#include "cache/marker.hpp"

namespace sock::cache {
namespace {

TEST(Requirement, IsReadInAllItsForms) {
  for (const char* text :
       {"Foo_Bar>=1.2,<2", "foo-bar[extra,other] (>=1.2, <2)", "foo.bar >=1.2,<2 ; extra == 'x'"}) {
    const auto requirement = parse_requirement(text);
    ASSERT_TRUE(requirement.has_value()) << text;
    EXPECT_EQ(requirement->name, "foo-bar") << text;
    ASSERT_EQ(requirement->specifiers.size(), 2U) << text;
    EXPECT_EQ(requirement->specifiers[1].operation, "<");
    EXPECT_EQ(requirement->specifiers[1].version, "2");
  }
  EXPECT_EQ(parse_requirement("a; extra == 'x'")->marker, "extra == 'x'");
  EXPECT_TRUE(parse_requirement("a @ file:///x ; os_name == 'nt'")->specifiers.empty());
}

TEST(Requirement, IsNotAnyText) {
  for (const char* text : {"", ";", "a;", ">=1", "a >", "a >= 1 2", "a (>=1", "a [x", "a = 1",
                           "../a", "a >=1,,<2", "a b"}) {
    const auto requirement = parse_requirement(text);
    ASSERT_FALSE(requirement.has_value()) << text;
    EXPECT_EQ(requirement.error().code, Errc::corrupt) << text;
  }
}

bool is_allowed(const char* specifiers, const char* version) {
  return allows(parse_requirement(std::string{"a"} + specifiers).value().specifiers, version);
}

TEST(Requirement, AllowsTheVersionsThatItsSpecifiersName) {
  for (const auto& [specifiers, version] :
       std::vector<std::pair<const char*, const char*>>{{"", "1.0"},
                                                        {"==1.0", "1.0.0"},
                                                        {"==1.0", "1.0+local"},
                                                        {"==1.*", "1.9.3"},
                                                        {"!=1.0", "1.1"},
                                                        {">=1.0,<2", "1.5"},
                                                        {"~=1.4.2", "1.4.9"},
                                                        {"~=2.2", "2.9"},
                                                        {"<=1.0", "1.0+local"},
                                                        {">1.0", "1.1"},
                                                        {"<2.0rc1", "2.0b1"},
                                                        {"===weird", "weird"}})
    EXPECT_TRUE(is_allowed(specifiers, version)) << specifiers << " " << version;
  for (const auto& [specifiers, version] :
       std::vector<std::pair<const char*, const char*>>{{"==1.0", "1.0.post1"},
                                                        {"==1.0+x", "1.0"},
                                                        {"==1.*", "2.0"},
                                                        {"!=1.*", "1.1"},
                                                        {">=1.0,<2", "2.0"},
                                                        {"~=1.4.2", "1.5"},
                                                        {"~=1", "1.5"},
                                                        {"<2.0", "2.0rc1"},
                                                        {">1.0", "1.0.post1"},
                                                        {">=1.0", "weird"}})
    EXPECT_FALSE(is_allowed(specifiers, version)) << specifiers << " " << version;
}

TEST(Marker, HoldsWhereItsConditionsDo) {
  for (const char* marker :
       {"python_version >= '3.9'", "python_version > \"3.2\" and sys_platform == 'linux'",
        "extra == 'test' or os_name == 'posix'", "(python_version < '3' or 'lin' in sys_platform)",
        "platform_system not in 'Windows'", "python_version ~= '3.9'",
        "implementation_name == 'cpython' and (extra == 'x' or python_full_version >= '3.11.0')"})
    EXPECT_TRUE(holds(marker, "3.11").value()) << marker;
  for (const char* marker : {"python_version < '3.9'", "extra == 'test'", "sys_platform == 'win32'",
                             "os_name == 'posix' and extra == 'x'", "'3.1' == python_version"})
    EXPECT_FALSE(holds(marker, "3.11").value()) << marker;
  EXPECT_FALSE(holds("python_version >= '3.10'", "3.9").value()) << "versions are not texts";
}

TEST(Marker, IsNotAnyText) {
  for (const char* text :
       {"", "python_version", "nothing == '1'", "'a' == 'b", "('a' == 'b'", "'a' == 'b' and",
        "'a' == 'b' 'c'", "'a' = 'b'", "'a' not 'b'", "'a' ~= 'b'"})
    EXPECT_FALSE(holds(text, "3.11").has_value()) << text;
  EXPECT_FALSE(holds(std::string(1000, '('), "3.11").has_value()) << "it has a depth";
}

}  // namespace
}  // namespace sock::cache
