// What no snapshot can hold, damaged snapshots, and where CRIU is missing.

#include <fcntl.h>
#include <signal.h>

#include "checkpoint_fixture.hpp"

namespace sock::test {
namespace {

TEST_F(Checkpoint, RefusesDamagedSnapshots) {
  Talker original = start(talker_spec("original"));
  checkpoint(original.container, {.name = "snap"});
  const std::filesystem::path snapshot = scratch() + "/snapshots/snapshots/snap";
  std::vector<std::filesystem::path> files{snapshot / "manifest", snapshot / "digest"};
  for (const auto& file : std::filesystem::directory_iterator{snapshot / "images"})
    files.push_back(file.path());
  ASSERT_GT(files.size(), 10U);
  for (const auto& file : files) {
    const std::string content = read_text(file);
    const auto damage = [&](const std::string& what, const std::string& damaged) {
      std::ofstream{file, std::ios::trunc} << damaged;
      const auto used = store().use("snap");
      ASSERT_FALSE(used.has_value()) << file << ": " << what;
      EXPECT_EQ(used.error().code, Errc::corrupt) << file << ": " << used.error().message();
      const auto verified = store().verify("snap");
      EXPECT_TRUE(verified.has_value() && !verified->ok()) << file << ": " << what;
    };
    std::string flipped = content;
    if (!flipped.empty()) flipped[flipped.size() / 2] ^= 1;
    if (!flipped.empty()) damage("a flipped bit", flipped);
    if (!content.empty()) damage("cut off", content.substr(0, content.size() / 2));
    damage("longer", content + "x");
    std::ofstream{file, std::ios::trunc} << content;
    ASSERT_TRUE(store().use("snap").has_value()) << file;
  }
  std::ofstream{snapshot / "images" / "extra"} << "x";
  EXPECT_EQ(store().use("snap").error().code, Errc::corrupt);
  std::filesystem::remove(snapshot / "images" / "extra");
  std::filesystem::remove(files.back());
  EXPECT_EQ(store().use("snap").error().code, Errc::corrupt);
  // The list still shows the others.
  std::ofstream{snapshot / "manifest", std::ios::trunc} << "{}";
  const auto listed = store().list();
  ASSERT_TRUE(listed.has_value() && listed->size() == 1);
  EXPECT_FALSE(listed->front().problem.empty());
  EXPECT_TRUE(store().remove("snap").has_value());
  EXPECT_EQ(store().find("snap").error().code, Errc::not_found);
}

TEST_F(Checkpoint, SaysWhyItCannot) {
  auto plain = host().create(shell("exec sleep 60"));
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(checkpoint_error(*plain, {.name = "snap"}).code, Errc::invalid_spec);
  Talker talker = start(talker_spec("talker"));
  Container& container = talker.container;
  EXPECT_EQ(checkpoint_error(container, {.name = "../snap"}).code, Errc::invalid_spec);
  ASSERT_TRUE(container.pause().has_value());
  EXPECT_NE(checkpoint_error(container, {.name = "snap"}).hint.find("paused"), std::string::npos);
  ASSERT_TRUE(container.resume().has_value());
  auto process = container.exec({.argv = {"sleep", "60"}});
  ASSERT_TRUE(process.has_value());
  EXPECT_NE(checkpoint_error(container, {.name = "snap"}).hint.find("exec()"), std::string::npos);
  ASSERT_TRUE(process->signal(SIGKILL).has_value());
  ASSERT_TRUE(process->wait().has_value());
  checkpoint(container, {.name = "snap"});
  EXPECT_EQ(checkpoint_error(container, {.name = "snap"}).code, Errc::exists);
  auto used = store().use("snap");
  ASSERT_TRUE(used.has_value());
  EXPECT_EQ(restore(host(), *used, {.name = "talker"}).error().code, Errc::exists);
  EXPECT_EQ(store().remove("snap").error().code, Errc::exhausted);  // In use.
  EXPECT_EQ(talker.ask("what"), all_of_it);
  ASSERT_TRUE(container.kill().has_value());
  EXPECT_EQ(checkpoint_error(container, {.name = "late"}).code, Errc::closed);
}

TEST_F(Checkpoint, NamesTheDescriptorThatNoSnapshotHolds) {
  ContainerSpec spec = talker_spec("rings");
  auto policy = SeccompPolicy::Builder{SeccompPolicy::Builder::Base::handler}
                    .allow(unsafe::AllowIoUring{})
                    .compile();
  ASSERT_TRUE(policy.has_value());
  spec.seccomp = *policy;
  constexpr const char* make_ring =
      "import ctypes; buffer = ctypes.create_string_buffer(120)\n"
      "assert ctypes.CDLL(None).syscall(425, 8, buffer) >= 0\n"
      "print('ready', flush=True); input()";
  spec.argv = {"python3", "-c", make_ring};
  Talker talker = start(spec);
  const Error error = checkpoint_error(talker.container, {.name = "snap"});
  EXPECT_EQ(error.code, Errc::unsupported);
  EXPECT_NE(error.subject.find("descriptor 3 (anon_inode:[io_uring])"), std::string::npos)
      << error.message();
}

TEST_F(Checkpoint, KeepsAContainerWhereCriuIsMissing) {
  HostOptions options = host_options(scratch() + "/other");
  options.criu = scratch() + "/no-criu";
  auto other = Host::open(options);
  ASSERT_TRUE(other.has_value());
  ContainerSpec spec = shell("exec sleep 60");
  spec.checkpointable = true;
  auto container = other->create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  EXPECT_EQ(checkpoint_error(*container, {.name = "snap"}).code, Errc::not_found);
  EXPECT_FALSE(container->wait_until(std::chrono::steady_clock::now())->has_value());
}

TEST_F(Checkpoint, TheDoctorAsksCriuItself) {
  const auto outcome = [](const HostOptions& options) {
    for (const auto& each : check(options))
      if (each.name == "criu") return each;
    return Check{};
  };
  HostOptions options = host_options(scratch() + "/other");
  const Check works = outcome(options);
  EXPECT_EQ(works.outcome, Check::Outcome::ok) << works.detail;
  EXPECT_TRUE(works.detail.starts_with("CRIU ")) << works.detail;
  options.criu = scratch() + "/no-criu";
  EXPECT_EQ(outcome(options).detail, "missing");
  options.criu = "/bin/true";
  EXPECT_EQ(outcome(options).outcome, Check::Outcome::degraded);
}

// CRIU makes deleted files again by their paths; a link on the way would lead out of the container.
TEST_F(Checkpoint, RefusesDeletedFilesWhoseDirectoriesAreLinksNow) {
  const std::string victim = "/var/tmp/sock-victim-" + std::to_string(::getpid());
  std::filesystem::create_directory(victim);
  ContainerSpec spec = shell("");
  spec.checkpointable = true;
  spec.argv = {
      "python3", "-c",
      "import os, sys\n"
      "os.makedirs('/tmp/s/d'); f = open('/tmp/s/d/f', 'w+'); f.write('ghost'); f.flush()\n"
      "os.unlink('/tmp/s/d/f'); os.rmdir('/tmp/s/d'); os.symlink('" +
          victim + "', '/tmp/s/d')\nprint('ready', flush=True)\nsys.stdin.read()"};
  Talker original = start(spec);
  EXPECT_EQ(checkpoint_error(original.container, {.name = "snap"}).subject,
            "the deleted file /tmp/s/d/f");
  EXPECT_FALSE(original.container.wait_until(std::chrono::steady_clock::now())->has_value());
  std::filesystem::remove_all(victim);
}

TEST_F(Checkpoint, GivesPipesForPipesAndNothingElse) {
  Talker original = start(talker_spec("original"));
  checkpoint(original.container, {.name = "snap"});
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value());
  const TestPipe pipe = make_pipe();
  const UniqueFd file{::open((scratch() + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600)};
  const auto refused = [&](const Stdio& stdio) {
    const auto restored = host().restore(*used, {.name = "restored", .stdio = stdio});
    return restored.has_value() ? "" : restored.error().subject;
  };
  EXPECT_EQ(refused({.in = pipe.reader}), "descriptor stdout");
  EXPECT_EQ(refused({.in = pipe.reader, .out = file}), "descriptor stdout");
  ContainerSpec spec = shell("exec sleep 60");
  spec.name = "logging";
  spec.checkpointable = true;
  spec.stdio.out = file;
  auto logging = host().create(spec);
  ASSERT_TRUE(logging.has_value());
  EXPECT_TRUE(checkpoint_error(*logging, {.name = "log"}).subject.starts_with("stdout ("));
}

TEST_F(Checkpoint, RefusesASnapshotWhoseRootIsGone) {
  std::filesystem::create_directory(scratch() + "/bound");
  ContainerSpec spec = talker_spec("original");
  spec.rootfs.binds = {{.source = scratch() + "/bound", .target = "/bound"}};
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap"});
  std::filesystem::remove(scratch() + "/bound");
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value());
  const auto restored = restore(host(), *used, {.name = "restored"});
  ASSERT_FALSE(restored.has_value());
  EXPECT_EQ(restored.error().code, Errc::not_found) << restored.error().message();
}

TEST_F(Checkpoint, IsRefusedBeforehandWhereNoSnapshotCouldHoldIt) {
  const auto refused = [&](ContainerSpec spec) {
    spec.checkpointable = true;
    EXPECT_EQ(create_error(spec).code, Errc::invalid_spec);
  };
  ContainerSpec spec = shell("");
  spec.namespaces.network = Network::host(unsafe::HostNetwork{});
  refused(spec);
  spec = shell("");
  spec.namespaces.user =
      UserNamespace{.uids = {{0, 100'000, 65'536}}, .gids = {{0, 100'000, 65'536}}};
  refused(spec);
  spec = shell("");
  spec.stdio.terminal = Terminal{};
  refused(spec);
  spec = shell("");
  spec.namespaces.shared = unsafe::Shared::ipc;
  refused(spec);
  for (const char* const name : {"cap_sys_admin", "cap_checkpoint_restore"}) {
    spec = shell("");
    spec.identity.capabilities = {unsafe::Capability{name}};
    refused(spec);
  }
}

// What has the file of a snapshot mapped is a container that was restored from it; both have this.
TEST_F(Checkpoint, GivesExecNothingThatReachesItsFile) {
  Talker talker = start(talker_spec("talker"));
  for (const char* const name : {"cap_sys_admin", "cap_checkpoint_restore"}) {
    ExecSpec spec{.argv = {"true"}};
    spec.identity.capabilities = {unsafe::Capability{name}};
    const auto process = talker.container.exec(spec);
    ASSERT_FALSE(process.has_value()) << name;
    EXPECT_EQ(process.error().code, Errc::invalid_spec) << process.error().message();
    EXPECT_EQ(process.error().subject, name);
  }
}

using RootlessCheckpoint = HostTest;

TEST_F(RootlessCheckpoint, IsRefusedByName) {
  if (!is_rootless()) GTEST_SKIP() << "this is about Hosts of an ordinary user";
  ContainerSpec spec = shell("exec sleep 60");
  spec.checkpointable = true;
  const Error error = create_error(spec);
  EXPECT_EQ(error.code, Errc::unsupported) << error.message();
  EXPECT_EQ(error.subject, "checkpointable");
  EXPECT_EQ(error.hint, "snapshots need a Host with root");
  // One that runs already is asked what it was made for.
  spec.checkpointable = false;
  auto container = host().create(spec);
  ASSERT_TRUE(container.has_value()) << container.error().message();
  auto store = SnapshotStore::open({.directory = scratch() + "/snapshots"});
  ASSERT_TRUE(store.has_value()) << store.error().message();
  const auto written = container->checkpoint(*store, {.name = "snap"});
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::invalid_spec) << written.error().message();
  EXPECT_FALSE(container->wait_until(std::chrono::steady_clock::now())->has_value());
  EXPECT_TRUE(store->list()->empty());
}

}  // namespace
}  // namespace sock::test