// Metadata files of wheels and of Debian packages, and what of the latter goes where.

#include "cache/metadata.hpp"

#include <gtest/gtest.h>

#include "cache/deb.hpp"
#include "cache/package_abi.hpp"

namespace sock::cache {
namespace {

TEST(Metadata, IsFieldsUpToAnEmptyLine) {
  const auto metadata = Metadata::parse(
      "Metadata-Version: 2.1\r\nName: Foo_Bar\nVersion: 1.0\nRequires-Dist: a>=1\n"
      "requires-dist: b;\n  extra == 'x'\n\nName: not this\n",
      "METADATA");
  ASSERT_TRUE(metadata.has_value());
  EXPECT_EQ(package_in(*metadata, "METADATA").value(), (Package{"foo-bar", "1.0"}));
  EXPECT_EQ(metadata->all("Requires-Dist"), (std::vector<std::string>{"a>=1", "b; extra == 'x'"}));
  EXPECT_EQ(metadata->first("Missing"), "");
}

TEST(Metadata, IsNotAnyText) {
  for (const char* text : {"no colon", " continued: first", ": no name"})
    EXPECT_EQ(Metadata::parse(text, "METADATA").error().code, Errc::corrupt) << text;
  const auto nameless = Metadata::parse("Version: 1\n", "METADATA");
  EXPECT_EQ(package_in(*nameless, "METADATA").error().code, Errc::corrupt);
}

TEST(DebianPackage, NamesThePythonPackagesThatItDependsOn) {
  EXPECT_EQ(
      python_packages_in("python3-dateutil, python3-numpy (>= 1:1.22), libc6 (>= 2.14), "
                         "python3-numpy (>= 1:1.18.5~) | python3 (<< 3.10), python3:any, "
                         "python3-a:any | python3-b [amd64], python3-numpy, python3 (>= 3.11~)"),
      (std::vector<std::string>{"python3-dateutil", "python3-numpy", "python3-a | python3-b"}));
  EXPECT_TRUE(python_packages_in("").empty());
  EXPECT_EQ(upstream_version("1:1.24.2-1+deb12u1"), "1.24.2");
  EXPECT_EQ(upstream_version("2.0"), "2.0");
}

TEST(DebianPackage, HasAPlaceForWhatIsPythons) {
  EXPECT_EQ(place_in_package("usr/lib/python3/dist-packages/numpy/core.py"),
            "site-packages/numpy/core.py");
  EXPECT_EQ(place_in_package("usr/lib/python3.11/dist-packages/x"), "site-packages/x");
  EXPECT_EQ(place_in_package("usr/lib/python3.11/distutils/core.py"),
            "site-packages/distutils/core.py");
  EXPECT_EQ(place_in_package("usr/lib/" + machine_name() + "-linux-gnu/libx.so.1"),
            "lib/libx.so.1");
  for (const char* path : {"usr/bin/f2py", "usr/share/doc/x", "etc/passwd", "usr/lib/python3",
                           "usr/lib/python3.11", "usr/lib/python3-evil/x", "usr/lib/python3.x/y",
                           "usr/lib/python3/dist-packages", "", "usr/lib/libx.so"})
    EXPECT_EQ(place_in_package(path), std::nullopt) << path;
}

}  // namespace
}  // namespace sock::cache
