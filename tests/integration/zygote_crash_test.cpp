// An embedding program that has zygotes, killed: at any moment of a fork, nothing stays.

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* python = "/usr/bin/python3";

class ZygoteCrash : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    if (is_rootless()) GTEST_SKIP() << "zygote domains need real root";
    for (const char* feature : {"proc_from_outside", "detached_roots"})
      if (!is_tested_with(feature)) GTEST_SKIP() << "zygote domains need " << feature;
    fs::create_directory(state());
    fs::permissions(state(), fs::perms::owner_all);
  }
  [[nodiscard]] std::string state() const { return scratch() + "/crash"; }

  [[nodiscard]] ZygoteDomainSpec domain_spec() const {
    return {.name = "domain",
            .rootfs = {.base = std::string{host_image}},
            .interpreter = {python},
            // Tells this test's processes from all others.
            .env = {"SOCK_CRASH_TEST=" + mark()}};
  }

  /// Says "up" when its domain is, then forks containers, some of which stay.
  [[noreturn]] void embed(FdRef says) const {
    auto host = Host::open(host_options(state()));
    if (!host) ::_exit(3);
    auto domain = host->open_domain(domain_spec());
    if (!domain) ::_exit(4);
    auto zygote = domain->start_zygote();
    if (!zygote || !zygote->keep_spares(2)) ::_exit(5);
    if (::write(says.get(), "up", 2) != 2) ::_exit(6);
    std::vector<Container> staying;
    for (int i = 0;; ++i) {
      ContainerSpec spec{
          .name = "c" + std::to_string(i),
          .rootfs = {.base = std::string{host_image}},
          .argv = {"python3", "-c", i % 4 == 0 ? "import signal; signal.pause()" : ""},
          .env = {"SOCK_CRASH_TEST=" + mark()}};
      spec.init = Init::none;
      auto container = zygote->fork(spec);
      if (!container) ::_exit(7);
      if (i % 4 == 0 && staying.size() < 4) staying.push_back(std::move(*container));
    }
  }

  [[nodiscard]] std::string store() const { return scratch() + "/snapshots"; }

  /// Says "up", then writes snapshots of a zygote and makes domains and containers of them.
  [[noreturn]] void embed_snapshots(FdRef says) const {
    auto host = Host::open(host_options(state()));
    auto snapshots = SnapshotStore::open({.directory = store()});
    if (!host || !snapshots) ::_exit(3);
    auto domain = host->open_domain(domain_spec());
    if (!domain) ::_exit(4);
    auto zygote = domain->start_zygote();
    if (!zygote || ::write(says.get(), "up", 2) != 2) ::_exit(5);
    for (int i = 0;; ++i) {
      const std::string name = "s" + std::to_string(::getpid()) + "-" + std::to_string(i);
      if (!zygote->checkpoint(*snapshots, {.name = name})) ::_exit(6);
      auto use = snapshots->use(name);
      if (!use) ::_exit(7);
      auto restored = host->open_domain(*use, {.name = "restored"});
      if (!restored) ::_exit(8);
      ContainerSpec spec{.name = "forked",
                         .rootfs = {.base = std::string{host_image}},
                         .argv = {"python3", "-c", "import signal; signal.pause()"}};
      spec.init = Init::none;
      auto container = host->fork(*use, spec);
      if (!container) ::_exit(9);
    }
  }

  [[nodiscard]] std::string mark() const { return fs::path{scratch()}.filename(); }

  /// By their environment. What a child of a zygote was given at its start is its zygote's.
  [[nodiscard]] std::set<pid_t> marked_processes() const {
    std::set<pid_t> found;
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream file{entry.path() / "environ"};
      const std::string environment{std::istreambuf_iterator<char>{file}, {}};
      // A container of a snapshot shows what it was started by, and no environment.
      std::error_code gone;
      const std::string program = fs::read_symlink(entry.path() / "exe", gone);
      if (environment.contains("SOCK_CRASH_TEST=" + mark()) ||
          program.starts_with("/memfd:sock-restorer"))
        found.insert(std::stoi(name));
    }
    return found;
  }
  [[nodiscard]] bool is_clean() const {
    return marked_processes().empty() && fs::is_empty(state());
  }
  [[nodiscard]] bool becomes_clean() const {
    const auto deadline = in(10s);
    while (!is_clean())
      if (std::chrono::steady_clock::now() > deadline) return false;
    return true;
  }

  /// Kills a program that runs `embed` at any moment up to `longest`.
  template <class Embed>
  void kill_again_and_again(std::chrono::nanoseconds longest, Embed embed) const;
};

template <class Embed>
void ZygoteCrash::kill_again_and_again(std::chrono::nanoseconds longest, Embed embed) const {
  const int rounds = ::getenv("SOCK_TEST_FULL") != nullptr ? 200 : 8;
  std::mt19937 random{std::random_device{}()};
  for (int round = 0; round < rounds; ++round) {
    TestPipe says = make_pipe();
    const pid_t embedder = ::fork();
    if (embedder == 0) embed(says.writer);
    says.writer.reset();
    ASSERT_EQ(read_until(says.reader, "up"), "up");
    EXPECT_FALSE(marked_processes().empty()) << "this test would not see what is left";
    const timespec moment{.tv_sec = 0, .tv_nsec = static_cast<long>(random() % longest.count())};
    ::ppoll(nullptr, 0, &moment, nullptr);
    ASSERT_EQ(::kill(embedder, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(embedder, &status, 0), embedder);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
    EXPECT_TRUE(becomes_clean()) << "round " << round << ", after " << moment.tv_nsec << " ns";
  }
}

TEST_F(ZygoteCrash, LeavesNothingWhereverInAForkTheProgramIsKilled) {
  kill_again_and_again(60ms, [&](FdRef says) { embed(says); });
}

TEST_F(ZygoteCrash, LeavesNothingWhereverInASnapshotTheProgramIsKilled) {
  kill_again_and_again(400ms, [&](FdRef says) { embed_snapshots(says); });
  auto snapshots = SnapshotStore::open({.directory = store()});
  ASSERT_TRUE(snapshots.has_value());
  ASSERT_TRUE(snapshots->gc().has_value());
  EXPECT_TRUE(fs::is_empty(store() + "/staging"));
  // What is there is whole.
  const auto all = snapshots->list();
  ASSERT_TRUE(all.has_value());
  for (const auto& snapshot : *all) {
    const auto verified = snapshots->verify(snapshot.name);
    EXPECT_TRUE(verified.has_value() && verified->ok()) << snapshot.name;
  }
}

}  // namespace
}  // namespace sock::test
