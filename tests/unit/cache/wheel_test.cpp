// What wheels are called, what goes where, and their RECORD.

#include <gtest/gtest.h>

#include "cache/wheel_name.hpp"
#include "cache/wheel_record.hpp"
#include "store/digest.hpp"

namespace sock::cache {
namespace {

TEST(WheelName, SaysThePackageAndItsTags) {
  const auto name = parse_wheel_name("Foo_Bar-1.2+local-1build-cp311-abi3-linux_x86_64.whl");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->package, (Package{"foo-bar", "1.2+local"}));
  EXPECT_EQ(name->tags.python, "cp311");
  EXPECT_EQ(name->tags.abi, "abi3");
  EXPECT_EQ(name->tags.platform, "linux_x86_64");
}

TEST(WheelName, IsNotAnyText) {
  for (const char* file :
       {"a.whl", "a-1-py3-none.whl", "a-1-b-c-py3-none-any.whl", "a--py3-none-any.whl",
        "a-1-py3-none-any.zip", "../a-1-py3-none-any.whl", "-1-py3-none-any.whl", ""})
    EXPECT_EQ(parse_wheel_name(file).error().code, Errc::invalid_spec) << file;
}

TEST(WheelMember, GoesWhereItsSchemeSays) {
  const Package package{"foo-bar", "1.2"};
  const auto place = [&](const char* path) {
    return place_in_wheel(path, package).value_or("refused");
  };
  EXPECT_EQ(place("foo/bar.py"), "site-packages/foo/bar.py");
  EXPECT_EQ(place("Foo_Bar-1.2.data/purelib/a.py"), "site-packages/a.py");
  EXPECT_EQ(place("foo.bar-1.2.data/platlib/a.so"), "site-packages/a.so");
  EXPECT_EQ(place("foo_bar-1.2.data/scripts/run"), "bin/run");
  EXPECT_EQ(place("foo_bar-1.2.data/headers/x.h"), "include/x.h");
  EXPECT_EQ(place("foo_bar-1.2.data/data/share/x"), "share/x");
  EXPECT_EQ(place("foo_bar-1.2.data"), "") << "a directory of nothing";
  EXPECT_EQ(place("foo_bar-1.2.data/other/x"), "refused");
  EXPECT_EQ(place("other-1.2.data/scripts/x"), "site-packages/other-1.2.data/scripts/x");
}

TEST(WheelRecord, HasAPathAHashAndASize) {
  const auto files = parse_wheel_record(
      "a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\n"
      "\"b,\"\"c\"\".py\",sha256=x,12\n\nd-1.dist-info/RECORD,,");
  ASSERT_TRUE(files.has_value());
  ASSERT_EQ(files->size(), 3U);
  EXPECT_EQ(files->at(0).hash, recorded_hash(store::Digest::of("").hex()));
  EXPECT_EQ(files->at(1).path, "b,\"c\".py");
  EXPECT_EQ(files->at(1).size, 12U);
  EXPECT_TRUE(files->at(2).hash.empty());
  EXPECT_FALSE(files->at(2).size.has_value());
}

TEST(WheelRecord, IsNotAnyText) {
  for (const char* text : {"a.py", "a.py,h", "a.py,h,1,2", ",h,1", "a.py,h,x", "\"a.py,h,1",
                           "\"a\"b,h,1", "a.py,h,-1", "a.py,h,99999999999999999999999"})
    EXPECT_EQ(parse_wheel_record(text).error().code, Errc::corrupt) << text;
}

}  // namespace
}  // namespace sock::cache
