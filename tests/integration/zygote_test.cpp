// Containers forked from zygotes: real interpreters, on the real kernel.

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// One line of /proc/PID/status.
std::string status_line(pid_t pid, const std::string& name) {
  std::istringstream lines{content("/proc/" + std::to_string(pid) + "/status")};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + ":")) return line.substr(line.find('\t') + 1);
  return {};
}

using Zygotes = ZygoteTest;

TEST_F(Zygotes, ForkAContainerThatRunsACommand) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const Outcome outcome = run_forked(
      zygote, command("import os, sys\nprint(os.getpid(), sys.argv)\nprint('e', file=sys.stderr)\n"
                      "sys.exit(7)"));
  EXPECT_EQ(outcome.out, "1 ['-c']\n");
  EXPECT_EQ(outcome.err, "e\n");
  EXPECT_EQ(outcome.status, (ExitStatus{ExitStatus::Kind::exited, 7}));
}

TEST_F(Zygotes, ForkAContainerThatHoldsNothingButWhatItsSpecSays) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ContainerSpec spec = command(
      "import os\n"
      "for line in open('/proc/self/status'):\n"
      "    if line.split(':')[0] in ('Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff',\n"
      "                              'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'):\n"
      "        print(*line.split())\n"
      "print(dict(os.environ))\n"
      "print(sorted(os.listdir('/')), os.uname().nodename, os.getcwd(), os.umask(0))\n"
      "print(len(os.listdir('/proc/self/fd')) - 1)\n"
      "print(open('/proc/self/cgroup').read().count('..'))\n");
  spec.env = {"ONLY=this"};
  spec.hostname = "inside";
  spec.cwd = "/tmp";
  const Outcome outcome = run_forked(zygote, spec);
  EXPECT_EQ(outcome.out,
            "Uid: 65534 65534 65534 65534\nGid: 65534 65534 65534 65534\nGroups:\n"
            "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"
            "CapBnd: 0000000000000000\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n"
            "{'ONLY': 'this'}\n"
            "['bin', 'dev', 'etc', 'lib', 'lib32', 'lib64', 'proc', 'sbin', 'tmp', 'usr'] "
            "inside /tmp 18\n3\n0\n")
      << outcome.err;
}

TEST_F(Zygotes, HoldNoCapabilityInTheInitialUserNamespace) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const fs::path proc = "/proc/" + std::to_string(zygote.pid());
  EXPECT_NE(fs::read_symlink(proc / "ns/user"), fs::read_symlink("/proc/self/ns/user"));
  std::istringstream map{content(proc / "uid_map")};
  std::uint32_t inside = 1;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  map >> inside >> outside >> count;
  EXPECT_EQ(inside, 0U);
  EXPECT_GE(outside, 65536U) << "an id of the machine";
  EXPECT_EQ(count, 65536U);
  // Its own root has some in the namespace, and the kernel counts them nowhere else.
  EXPECT_EQ(status_line(zygote.pid(), "Uid").substr(0, std::to_string(outside).size()),
            std::to_string(outside));
  EXPECT_EQ(status_line(zygote.pid(), "NoNewPrivs"), "1");
  EXPECT_EQ(status_line(zygote.pid(), "Seccomp"), "2");
}

TEST_F(Zygotes, LeaveTheirContainersAloneWhenTheyAreKilled) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const TestPipe in_pipe = make_pipe();
  TestPipe out = make_pipe();
  ContainerSpec spec = command("import sys\nprint('up', flush=True)\nsys.exit(int(input()))");
  spec.name = "survivor";
  spec.stdio = {.in = in_pipe.reader, .out = out.writer};
  auto container = zygote.fork(spec);
  ASSERT_TRUE(container) << container.error().message();
  ASSERT_NE(read_until(out.reader, "up").find("up"), std::string::npos);
  ASSERT_TRUE(zygote.kill());
  ASSERT_EQ(::write(in_pipe.writer.get(), "42\n", 3), 3);
  const auto status = container->wait_until(in(20s));
  ASSERT_TRUE(status && *status);
  EXPECT_EQ(**status, (ExitStatus{ExitStatus::Kind::exited, 42}));
  // The domain lives, and can start another.
  auto next = domain.start_zygote();
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(output_of(*next, "print('again')"), "again\n");
}

TEST_F(Zygotes, GrowChildrenThatHaveImportedMore) {
  write_module("slow",
               "import time\nend = time.monotonic() + 0.05\nwhile time.monotonic() < end: pass\n"
               "value = 'imported once'\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  auto child = zygote.grow({.modules = {"slow"}, .paths = {"/modules"}});
  ASSERT_TRUE(child) << child.error().message();
  EXPECT_GE(child->import_time(), 50ms);
  EXPECT_EQ(output_of(*child,
                      "import sys\nprint('slow' in sys.modules)\nimport slow\n"
                      "print(slow.value)"),
            "True\nimported once\n");
  EXPECT_EQ(output_of(zygote, "import sys\nprint('slow' in sys.modules)"), "False\n");
}

TEST_F(Zygotes, NameWhatAModuleDidInsteadOfBeingImported) {
  write_module("missing_one", "import no_such_module\n");
  write_module("leaves", "import sys\nsys.exit(3)\n");
  write_module("crashes", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n");
  write_module("spins", "while True: pass\n");
  write_module("starts_thread",
               "import threading\n"
               "threading.Thread(target=threading.Event().wait, daemon=True).start()\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const Error missing = grow_error(zygote, "missing_one");
  EXPECT_EQ(missing.stage, Stage::import_modules);
  EXPECT_EQ(missing.subject, "ModuleNotFoundError: No module named 'no_such_module'");
  EXPECT_EQ(grow_error(zygote, "leaves").subject, "SystemExit: 3");
  EXPECT_EQ(grow_error(zygote, "crashes").code, Errc::closed);
  EXPECT_EQ(grow_error(zygote, "spins").code, Errc::timed_out);
  EXPECT_EQ(grow_error(zygote, "starts_thread").subject,
            "UnsafeToFork: starts_thread has started a thread");
  EXPECT_EQ(output_of(zygote, "print('still serving')"), "still serving\n");
}

TEST_F(Zygotes, GrowTreesDeeperThanPidNamespacesNest) {
  ZygoteDomain domain = open_domain();
  std::vector<Zygote> line;
  line.push_back(first_zygote(domain));
  constexpr int depth = 45;
  for (int level = 0; level < depth; ++level) {
    write_module("level" + std::to_string(level), "");
    auto child =
        line.back().grow({.modules = {"level" + std::to_string(level)}, .paths = {"/modules"}});
    ASSERT_TRUE(child) << "level " << level << ": " << child.error().message();
    line.push_back(std::move(*child));
  }
  EXPECT_EQ(
      output_of(line.back(), "import sys\nprint(sum(n.startswith('level') for n in sys.modules))"),
      "45\n");
}

TEST_F(Zygotes, GiveSiblingsNothingRandomInCommon) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  auto numbers =
      zygote.grow({.modules = {"random", "uuid", "secrets", "tempfile", "ssl", "numpy.random"},
                   .deadline = 60s});
  ASSERT_TRUE(numbers) << numbers.error().message();
  expect_all_differ(12, [&] {
    return output_of(
        *numbers,
        "import random, uuid, secrets, tempfile, ssl, numpy\n"
        "print(random.random(), uuid.uuid4(), secrets.token_hex(8), tempfile.mktemp(),\n"
        "      ssl.RAND_bytes(8).hex(), numpy.random.random())");
  });
}

TEST_F(Zygotes, ReportTheStepOfAForkThatFails) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ContainerSpec spec = command("pass");
  spec.cwd = "/no/such/directory";
  const Error error = fork_error(zygote, spec);
  EXPECT_EQ(error.stage, Stage::root);
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_EQ(error.subject, "cwd /no/such/directory");
  spec = command(std::string(200'000, ' '));
  EXPECT_EQ(fork_error(zygote, spec).code, Errc::invalid_spec);
  spec = command("pass");
  spec.init = Init::reaper;
  EXPECT_EQ(fork_error(zygote, spec).subject, "init");
  spec = command("pass");
  spec.identity.capabilities = {unsafe::Capability{"cap_net_admin"}};
  EXPECT_EQ(fork_error(zygote, spec).subject, "capabilities");
  spec = command("pass");
  spec.namespaces.mount = MountNamespace::own;
  EXPECT_EQ(fork_error(zygote, spec).code, Errc::invalid_spec);
  spec = command("pass");
  spec.checkpointable = true;
  EXPECT_EQ(fork_error(zygote, spec).subject, "checkpointable");
  EXPECT_EQ(output_of(zygote, "print('after')"), "after\n");
}

TEST_F(Zygotes, ReportTheirOwnDeath) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ASSERT_EQ(::kill(zygote.pid(), SIGKILL), 0);
  const Error error = fork_error(zygote, command("pass"));
  EXPECT_EQ(error.code, Errc::closed);
  EXPECT_EQ(error.stage, Stage::fork);
}

TEST_F(Zygotes, ForkContainersWithAllTheVerbs) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  TestPipe out = make_pipe();
  ContainerSpec spec = command("import signal\nprint('up', flush=True)\nsignal.pause()");
  spec.stdio.out = out.writer;
  auto container = zygote.fork(spec);
  ASSERT_TRUE(container) << container.error().message();
  read_until(out.reader, "up");
  EXPECT_GT(container->pid(), 1);
  std::set<Stage> stages;
  for (const StageTiming& timing : container->timings()) stages.insert(timing.stage);
  for (const Stage stage :
       {Stage::validate, Stage::rootfs, Stage::fork, Stage::capabilities, Stage::seccomp})
    EXPECT_TRUE(stages.contains(stage)) << to_string(stage);
  if (has_cgroups()) {
    EXPECT_TRUE(container->pause());
    EXPECT_TRUE(container->resume());
    EXPECT_GE(container->stats()->pids_current.value_or(1), 1U);
  }
  EXPECT_FALSE(*container->wait_until(in(0ms)));
  TestPipe said = make_pipe();
  auto process = container->exec({.argv = {"cat", "/proc/1/comm"}, .stdio = {.out = said.writer}});
  ASSERT_TRUE(process) << process.error().message();
  said.writer.reset();
  EXPECT_EQ(drain(said.reader), "python3\n");
  EXPECT_TRUE(process->wait()->ok());
  auto stays = container->exec({.argv = {"sleep", "1000"}});
  ASSERT_TRUE(stays) << stays.error().message();
  const auto user_namespace = [](pid_t pid) {
    return fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/user");
  };
  EXPECT_EQ(user_namespace(stays->pid()), user_namespace(container->pid()));
  EXPECT_NE(user_namespace(stays->pid()), user_namespace(::getpid()));
  EXPECT_TRUE(container->kill());
  EXPECT_EQ(*container->wait(), (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
}

TEST_F(Zygotes, AnswerAfterTheyWereMovedFrom) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const Zygote moved = std::move(zygote);
  EXPECT_EQ(fork_error(zygote, command("pass")).code, Errc::closed);
  EXPECT_EQ(zygote.grow({.modules = {"json"}}).error().code, Errc::closed);
  EXPECT_EQ(zygote.kill().error().code, Errc::closed);
  EXPECT_FALSE(zygote.pidfd());
  const ZygoteDomain gone = std::move(domain);
  EXPECT_EQ(domain.start_zygote().error().code, Errc::closed);
}

TEST_F(Zygotes, EnforceATimeLimitOnWhatTheyFork) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ContainerSpec spec = command("while True: pass");
  spec.time_limit = 200ms;
  auto container = zygote.fork(spec);
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_EQ(container->wait()->kind, ExitStatus::Kind::timed_out);
}

TEST_F(Zygotes, AnswerSeveralThreadsAtOnce) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  std::array<std::thread, 4> threads;
  std::atomic<int> good = 0;
  for (std::size_t t = 0; t < threads.size(); ++t)
    threads[t] = std::thread{[&, t] {
      for (int i = 0; i < 5; ++i) {
        ContainerSpec spec = command("import sys; sys.exit(9)");
        spec.name = "t" + std::to_string(t) + "-" + std::to_string(i);
        auto container = zygote.fork(spec);
        if (container && container->wait()->value == 9) ++good;
      }
    }};
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 20);
}

TEST_F(Zygotes, OutliveTheThreadThatMadeThem) {
  std::optional<ZygoteDomain> domain;
  std::optional<Zygote> zygote;
  std::optional<Handler> handler;
  std::jthread{[&] {
    domain.emplace(open_domain());
    zygote.emplace(first_zygote(*domain));
    handler.emplace(start_handler(
        *zygote, command("import os\nwhile event := os.read(3, 99): os.write(3, event)")));
  }}.join();
  EXPECT_EQ(handler->call("lives"), "lives\n");
  EXPECT_EQ(output_of(*zygote, "print('serving')", "next"), "serving\n");
  handler->channel.reset();
  EXPECT_TRUE(handler->container.wait()->ok());
}

TEST_F(Zygotes, AreGoneWithTheirDomain) {
  pid_t zygote_pid = -1;
  std::optional<Container> orphan;
  {
    ZygoteDomain domain = open_domain();
    Zygote zygote = first_zygote(domain);
    zygote_pid = zygote.pid();
    auto container = zygote.fork(command("import signal; signal.pause()"));
    ASSERT_TRUE(container) << container.error().message();
    orphan.emplace(std::move(*container));
  }
  EXPECT_EQ(::kill(zygote_pid, 0), -1);
  const auto status = orphan->wait_until(in(20s));
  ASSERT_TRUE(status && *status);
  EXPECT_EQ(**status, (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
}

}  // namespace
}  // namespace sock::test
