// Paths of a spec: what they become, and which are refused.

#include "isolation/rootfs/layout.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace sock::isolation {
namespace {

std::string cleaned(std::string_view path) {
  return clean_path(path, "path").value();
}

Error path_error(std::string_view path) {
  const auto result = clean_path(path, "cwd");
  return result ? Error{.code = Errc::io, .subject = "accepted: " + *result} : result.error();
}

TEST(CleanPath, KeepsAPathThatIsCleanAlready) {
  EXPECT_EQ(cleaned("/"), "/");
  EXPECT_EQ(cleaned("/srv/job 1/ä"), "/srv/job 1/ä");
}

TEST(CleanPath, RemovesDoubledAndTrailingSlashesAndDots) {
  EXPECT_EQ(cleaned("//"), "/");
  EXPECT_EQ(cleaned("/."), "/");
  EXPECT_EQ(cleaned("/srv//job/"), "/srv/job");
  EXPECT_EQ(cleaned("/./srv/././job/."), "/srv/job");
}

TEST(CleanPath, KeepsNamesThatOnlyBeginWithDots) {
  EXPECT_EQ(cleaned("/.a/..b/..."), "/.a/..b/...");
}

TEST(CleanPath, RefusesARelativePath) {
  for (const char* path : {"srv", "./srv", "../srv", " /srv"}) {
    const Error error = path_error(path);
    EXPECT_EQ(error.code, Errc::invalid_spec) << path;
    EXPECT_EQ(error.stage, Stage::validate);
    EXPECT_EQ(error.subject, "cwd \"" + std::string{path} + "\"");
  }
}

TEST(CleanPath, RefusesAnEmptyPath) {
  EXPECT_EQ(path_error("").subject, "cwd");
  EXPECT_EQ(path_error("").hint, "it is empty");
}

// Even where it would stay inside: what it means depends on links that may change.
TEST(CleanPath, RefusesDotDotAnywhere) {
  for (const char* path : {"/..", "/../etc", "/a/../b", "/a/b/..", "/a/../"})
    EXPECT_EQ(path_error(path).hint, "\"..\" is not allowed") << path;
}

TEST(CleanPath, RefusesANulByte) {
  EXPECT_EQ(path_error(std::string_view{"/a\0/b", 5}).hint, "not a path");
}

TEST(CleanPath, TakesAComponentOf255BytesAndRefusesALongerOne) {
  EXPECT_EQ(cleaned("/" + std::string(255, 'a')).size(), 256U);
  EXPECT_EQ(path_error("/" + std::string(256, 'a')).hint, "a component is longer than 255 bytes");
}

TEST(CleanPath, TakesAPathOf4095BytesAndRefusesALongerOne) {
  std::string path;
  while (path.size() < 4095) path += "/a";
  path.resize(4095);
  EXPECT_TRUE(clean_path(path, "cwd").has_value());
  EXPECT_EQ(path_error(path + "a").hint, "not a path");
}

TEST(IsBelow, IsTrueOnlyUnderTheDirectory) {
  EXPECT_TRUE(is_below("/a/b", "/a"));
  EXPECT_TRUE(is_below("/a/b/c", "/a"));
  EXPECT_FALSE(is_below("/a", "/a"));
  EXPECT_FALSE(is_below("/ab", "/a"));
  EXPECT_FALSE(is_below("/ab/c", "/a"));
  EXPECT_FALSE(is_below("/", "/a"));
  EXPECT_FALSE(is_below("/b/a/c", "/a"));
}

TEST(FirstComponent, IsTheNameAtTheTop) {
  EXPECT_EQ(first_component("/usr/lib"), "usr");
  EXPECT_EQ(first_component("/usr"), "usr");
  EXPECT_EQ(first_component("/"), "");
}

TEST(PackageTarget, IsNamedAfterTheLastComponent) {
  EXPECT_EQ(package_target("/cache/numpy-1.26"), "/packages/numpy-1.26");
}

TEST(CheckRootfs, TakesTheHostImageAndTheDefaults) {
  const Rootfs host{.base = std::string{host_image}};
  EXPECT_EQ(check_rootfs(host).value(), host);
}

TEST(CheckRootfs, GivesEveryPathClean) {
  const Rootfs clean = check_rootfs({.base = "//srv/image/",
                                     .handler = "/srv/./handler",
                                     .packages = {"/cache/numpy/"},
                                     .binds = {{"/data//x", "/mnt/x/", Access::read_write}},
                                     .tmpfs = {{"/tmp/"}}})
                           .value();
  EXPECT_EQ(clean.base, "/srv/image");
  EXPECT_EQ(clean.handler, "/srv/handler");
  EXPECT_EQ(clean.packages, std::vector<std::string>{"/cache/numpy"});
  EXPECT_EQ(clean.binds, (std::vector<Bind>{{"/data/x", "/mnt/x", Access::read_write}}));
  EXPECT_EQ(clean.tmpfs, (std::vector<Tmpfs>{{"/tmp"}}));
}

TEST(CheckRootfs, TakesMountsBelowDev) {
  EXPECT_TRUE(check_rootfs({.base = "/image", .tmpfs = {{"/dev/shm"}}}).has_value());
  EXPECT_TRUE(check_rootfs({.base = "/image", .tmpfs = {{"/device"}, {"/process"}}}).has_value());
}

TEST(InodeLimit, FollowsTheSizeBetweenAFloorAndACap) {
  const auto limit = [](std::uint64_t size) {
    return inode_limit({.target = "/t", .size_max = size});
  };
  EXPECT_EQ(limit(64U << 20U), 16384U);
  EXPECT_EQ(limit(8U << 20U), 2048U);
  EXPECT_EQ(limit(1), 1024U);
  EXPECT_EQ(limit(4U << 20U), 1024U);
  EXPECT_EQ(limit(1ULL << 40U), 1U << 20U);
  EXPECT_EQ(limit(UINT64_MAX), 1U << 20U);
}

TEST(InodeLimit, IsWhatTheSpecSaysWhereItSaysSo) {
  EXPECT_EQ(inode_limit({.target = "/t", .size_max = 1, .inodes_max = 5'000'000}), 5'000'000U);
  EXPECT_EQ(inode_limit({.target = "/t", .inodes_max = 7}), 7U);
}

struct Mistake {
  const char* name;
  std::function<void(Rootfs&)> make;
  const char* subject;
  const char* hint;
};

template <class T>
std::vector<T> copies(std::size_t count, const T& item) {
  return std::vector<T>(count, item);
}

constexpr const char* taken = "nothing can be mounted there";
constexpr const char* relative = "give an absolute path";

const Mistake mistakes[] = {
    {"NoBase", [](auto& r) { r.base = ""; }, "rootfs", "it is empty"},
    {"RelativeBase", [](auto& r) { r.base = "image"; }, "rootfs \"image\"", relative},
    {"RelativeHandler", [](auto& r) { r.handler = "h"; }, "handler \"h\"", relative},
    {"RelativePackage", [](auto& r) { r.packages = {"p"}; }, "package \"p\"", relative},
    {"EmptyPackage", [](auto& r) { r.packages = {""}; }, "package", "it is empty"},
    {"RootAsPackage", [](auto& r) { r.packages = {"//"}; }, "package \"/\"", "name a directory"},
    {"RelativeSource",
     [](auto& r) {
       r.binds = {Bind{"x", "/x"}};
     },
     "bind source \"x\"", relative},
    {"RelativeTarget",
     [](auto& r) {
       r.binds = {Bind{"/x", "x"}};
     },
     "bind target \"x\"", relative},
    {"BindLeavesTheRoot",
     [](auto& r) {
       r.binds = {Bind{"/x", "/../x"}};
     },
     "bind target \"/../x\"", "\"..\" is not allowed"},
    {"BindOnRoot",
     [](auto& r) {
       r.binds = {Bind{"/x", "/."}};
     },
     "bind target /", taken},
    {"BindOnProc",
     [](auto& r) {
       r.binds = {Bind{"/x", "/proc/"}};
     },
     "bind target /proc", taken},
    {"BindBelowProc",
     [](auto& r) {
       r.binds = {Bind{"/x", "//proc/./sys"}};
     },
     "bind target /proc/sys", taken},
    {"BindOnDev",
     [](auto& r) {
       r.binds = {Bind{"/dev", "/dev"}};
     },
     "bind target /dev", taken},
    {"TmpfsOnRoot", [](auto& r) { r.tmpfs = {Tmpfs{"/"}}; }, "tmpfs /", taken},
    {"TmpfsBelowProc", [](auto& r) { r.tmpfs = {Tmpfs{"/proc/a"}}; }, "tmpfs /proc/a", taken},
    {"RelativeTmpfs", [](auto& r) { r.tmpfs = {Tmpfs{"tmp"}}; }, "tmpfs \"tmp\"", relative},
    // The kernel takes 0 for "no limit".
    {"TmpfsWithoutLimit", [](auto& r) { r.tmpfs = {Tmpfs{.target = "/t", .size_max = 0}}; },
     "tmpfs /t", "its size is 0"},
    {"TmpfsWithoutInodes", [](auto& r) { r.tmpfs = {Tmpfs{.target = "/t", .inodes_max = 0}}; },
     "tmpfs /t", "its number of inodes is 0"},
    {"TooManyBinds",
     [](auto& r) {
       r.binds = copies(1025, Bind{"/x", "/x"});
     },
     "binds", "at most 1024"},
    {"TooManyPackages", [](auto& r) { r.packages = copies(1025, std::string{"/p"}); }, "packages",
     "at most 1024"},
    {"TooManyTmpfs", [](auto& r) { r.tmpfs = copies(65, Tmpfs{"/t"}); }, "tmpfs", "at most 64"},
};

class RootfsMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(RootfsMistake, IsRefusedByName) {
  Rootfs rootfs{.base = std::string{host_image}};
  GetParam().make(rootfs);
  const auto checked = check_rootfs(rootfs);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, Errc::invalid_spec);
  EXPECT_EQ(checked.error().stage, Stage::validate);
  EXPECT_EQ(checked.error().subject, GetParam().subject);
  EXPECT_EQ(checked.error().hint, GetParam().hint);
}

INSTANTIATE_TEST_SUITE_P(All, RootfsMistake, ::testing::ValuesIn(mistakes),
                         [](const auto& test) { return std::string{test.param.name}; });

}  // namespace
}  // namespace sock::isolation
