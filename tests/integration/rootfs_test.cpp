// Stitched roots.

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

class RootfsTest : public HostTest {
 protected:
  // A small image that borrows the machine's /usr by a bind.
  std::string make_image(const std::string& name) {
    const fs::path image = fs::path{scratch()} / name;
    fs::create_directories(image / "usr");
    for (const char* link : {"bin", "lib", "lib64", "sbin"})
      fs::create_symlink(std::string{"usr/"} + link, image / link);
    return image.string();
  }
  ContainerSpec in_image(const std::string& image, const std::string& script) {
    ContainerSpec spec = shell(script);
    spec.rootfs.base = image;
    spec.rootfs.binds = {{.source = "/usr", .target = "/usr"}};
    return spec;
  }
};

TEST_F(RootfsTest, StitchesAnImageThatLacksMountPoints) {
  const std::string image = make_image("image");
  std::ofstream{image + "/file"} << "content";
  EXPECT_EQ(run(in_image(image, "ls / | tr '\\n' ' '; cat /file")).out,
            "bin dev file lib lib64 proc sbin tmp usr content");
  EXPECT_FALSE(fs::exists(image + "/proc"));
}

TEST_F(RootfsTest, LeavesOutWhatWouldBeHidden) {
  const std::string image = make_image("image");
  for (const char* dir : {"tmp", "data"}) fs::create_directory(image + "/" + dir);
  std::ofstream{image + "/data/own"} << "";
  fs::create_directory(image + "/data/below");
  ContainerSpec spec =
      in_image(image, "ls /data; cut -d' ' -f5 /proc/self/mountinfo | sort | uniq -d");
  spec.namespaces.mount = MountNamespace::own;
  const std::string volume = scratch() + "/volume";
  fs::create_directory(volume);
  spec.rootfs.binds.push_back({.source = volume, .target = "/data/below"});
  EXPECT_EQ(run(spec).out, "below\nown\n");
}

TEST_F(RootfsTest, UsesAnImageThatHasThemAsItIs) {
  const std::string image = make_image("image");
  for (const char* dir : {"proc", "dev", "tmp"}) fs::create_directory(image + "/" + dir);
  EXPECT_EQ(run(in_image(image, "echo $(ls /); touch /x 2>/dev/null || echo read-only")).out,
            "bin dev lib lib64 proc sbin tmp usr\nread-only\n");
}

// Into ids of the container's user namespace, whatever kind of root and of mount namespace it has;
// and only where the spec says so, though both roots are made from one directory.
TEST_F(RootfsTest, ShiftsTheOwnersOfAnImageIntoAUserNamespace) {
  if (is_rootless()) GTEST_SKIP() << "needs: root, for id-mapped mounts";
  const std::string image = make_image("image");
  fs::create_directory(image + "/data");
  for (const unsigned owner : {0U, 1000U, 70000U}) {
    const std::string file = image + "/data/" + std::to_string(owner);
    std::ofstream{file} << "content";
    ASSERT_EQ(::chown(file.c_str(), owner, owner), 0);
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  }
  const std::string script = "stat -c '%u:%g' /data/*; cat /data/0 /data/1000 /data/70000 2>&1";
  for (const bool as_it_is : {false, true}) {
    if (as_it_is)
      for (const char* dir : {"proc", "dev", "tmp"}) fs::create_directory(image + "/" + dir);
    for (const auto mounts : {MountNamespace::empty, MountNamespace::own}) {
      ContainerSpec spec = in_image(image, script);
      spec.identity = {.uid = 0, .gid = 0};
      spec.namespaces.mount = mounts;
      spec.namespaces.user =
          UserNamespace{.uids = {{0, 100000, 65536}}, .gids = {{0, 100000, 65536}}};
      spec.rootfs.shift_owners = true;
      if (const auto made = host().create(spec);
          !made.has_value() && made.error().code == Errc::unsupported)
        GTEST_SKIP() << made.error().message();
      const std::string shifted = run(spec).out;
      // Its root holds no capability, so of its own namespace only its own files.
      EXPECT_TRUE(shifted.starts_with("0:0\n1000:1000\n65534:65534\ncontent")) << shifted;
      EXPECT_EQ(shifted.find("content", shifted.find("content") + 1), std::string::npos) << shifted;
      spec.rootfs.shift_owners = false;
      const std::string strange = run(spec).out;
      EXPECT_TRUE(strange.starts_with("65534:65534\n65534:65534\n65534:65534\n")) << strange;
      EXPECT_EQ(strange.find("content"), std::string::npos) << strange;
    }
  }
  struct stat untouched {};
  ASSERT_EQ(::stat((image + "/data/1000").c_str(), &untouched), 0);
  EXPECT_EQ(untouched.st_uid, 1000U);
}

TEST_F(RootfsTest, ReplacesATopLevelLinkThatWouldLeadElsewhere) {
  const std::string image = make_image("image");
  fs::create_directory(scratch() + "/outside");
  fs::create_symlink(scratch() + "/outside", image + "/tmp");
  fs::create_symlink("../../../../proc", image + "/proc");
  EXPECT_EQ(run(in_image(image, "touch /tmp/x; ls -d /proc/1; readlink /tmp || echo own")).out,
            "/proc/1\nown\n");
  EXPECT_TRUE(fs::is_empty(scratch() + "/outside"));
}

TEST_F(RootfsTest, ResolvesADeepLinkInsideTheRoot) {
  const std::string image = make_image("image");
  fs::create_directories(image + "/data/real");
  fs::create_symlink("/data/real", image + "/data/link");
  fs::create_directory(scratch() + "/volume");
  std::ofstream{scratch() + "/volume/here"} << "x";
  ContainerSpec spec = in_image(image, "ls /data/real");
  spec.rootfs.binds.push_back({.source = scratch() + "/volume", .target = "/data/link"});
  EXPECT_EQ(run(spec).out, "here\n");
}

TEST_F(RootfsTest, MountsHandlerPackagesAndVolumes) {
  for (const char* dir : {"handler", "numpy-1", "pandas-2", "volume"}) {
    fs::create_directory(scratch() + "/" + dir);
    std::ofstream{scratch() + "/" + dir + "/name"} << dir << "\n";
  }
  fs::permissions(scratch() + "/volume", fs::perms::all);
  ContainerSpec spec = shell(
      "cat /handler/name /packages/*/name /tmp/deep/volume/name; "
      "touch /tmp/deep/volume/new; touch /handler/new 2>/dev/null || echo read-only");
  spec.rootfs.handler = scratch() + "/handler";
  spec.rootfs.packages = {scratch() + "/numpy-1", scratch() + "/pandas-2"};
  spec.rootfs.binds = {{.source = scratch() + "/volume",
                        .target = "/tmp/deep/volume",
                        .access = Access::read_write}};
  if (is_rootless()) spec.identity = {.uid = 0, .gid = 0};
  const Outcome outcome = run(spec);
  EXPECT_EQ(outcome.out, "handler\nnumpy-1\npandas-2\nvolume\nread-only\n") << outcome.err;
  EXPECT_TRUE(fs::exists(scratch() + "/volume/new"));
}

// CVE-2024-21626: a directory of the host that is still open must not become the way out.
TEST_F(RootfsTest, DoesNotFollowTheWorkingDirectoryIntoADescriptor) {
  const std::string image = make_image("image");
  for (int fd = 3; fd < 64; ++fd) {
    const std::string link = "/work" + std::to_string(fd);
    fs::create_symlink("/proc/self/fd/" + std::to_string(fd), image + link);
    ContainerSpec through_link = in_image(image, "true");
    through_link.cwd = link;
    EXPECT_EQ(create_error(through_link).stage, Stage::root) << link;
    ContainerSpec directly = shell("true");
    directly.cwd = "/proc/self/fd/" + std::to_string(fd);
    EXPECT_EQ(create_error(directly).stage, Stage::root) << directly.cwd;
  }
}

TEST_F(RootfsTest, DoesNotExecuteAProgramThroughADescriptor) {
  const std::string image = make_image("image");
  for (int fd = 3; fd < 64; ++fd) {
    const std::string link = "/run" + std::to_string(fd);
    fs::create_symlink("/proc/self/fd/" + std::to_string(fd) + "/usr/bin/true", image + link);
    ContainerSpec spec = in_image(image, "");
    spec.argv = {link};
    EXPECT_EQ(create_error(spec).stage, Stage::exec) << link;
  }
}

// What a payload left in a volume must not choose what the next container is made of.
TEST_F(RootfsTest, FollowsNoLinkInASource) {
  fs::create_directory(scratch() + "/volume");
  fs::create_directory(scratch() + "/real");
  fs::create_symlink("/", scratch() + "/volume/top");
  fs::create_symlink(scratch() + "/real", scratch() + "/volume/linked");
  const std::string link = scratch() + "/volume/linked";
  const auto refused = [&](auto change) {
    ContainerSpec spec = shell("true");
    change(spec.rootfs);
    const Error error = create_error(spec);
    EXPECT_EQ(error.code, Errc::invalid_spec) << error.message();
    EXPECT_EQ(error.stage, Stage::rootfs) << error.message();
    EXPECT_NE(error.hint.find("realpath"), std::string::npos) << error.message();
  };
  refused([&](Rootfs& rootfs) { rootfs.binds = {{.source = link, .target = "/x"}}; });
  refused([&](Rootfs& rootfs) {
    rootfs.binds = {{.source = scratch() + "/volume/top/etc", .target = "/x"}};
  });
  refused([&](Rootfs& rootfs) { rootfs.handler = link; });
  refused([&](Rootfs& rootfs) { rootfs.packages = {link}; });
  refused([&](Rootfs& rootfs) { rootfs.base = scratch() + "/volume/top"; });
}

TEST_F(RootfsTest, NoticesThatADirectoryWasReplaced) {
  const std::string image = make_image("image");
  std::ofstream{image + "/version"} << "one";
  EXPECT_EQ(run(in_image(image, "cat /version")).out, "one");
  fs::rename(image, image + ".old");
  std::ofstream{make_image("image") + "/version"} << "two";
  EXPECT_EQ(run(in_image(image, "cat /version")).out, "two");
}

TEST_F(RootfsTest, NamesAMountPointThatDoesNotExist) {
  ContainerSpec spec = shell("true");
  spec.rootfs.binds = {{.source = "/usr", .target = "/usr/no/such/place"}};
  const Error error = create_error(spec);
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_NE(error.subject.find("/usr/no/such/place"), std::string::npos) << error.message();
}

}  // namespace
}  // namespace sock::test
