// What a payload may not see or do.

#include <fstream>
#include <thread>

#include <sys/prctl.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

using Isolation = HostTest;

TEST_F(Isolation, LeavesNoCapabilityInAnySet) {
  const Outcome outcome = run_shell("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
  const std::string zero = "0000000000000000";
  EXPECT_EQ(outcome.out, "CapInh:\t" + zero + "\nCapPrm:\t" + zero + "\nCapEff:\t" + zero +
                             "\nCapBnd:\t" + zero + "\nCapAmb:\t" + zero +
                             "\nNoNewPrivs:\t1\nSeccomp:\t2\n");
}

TEST_F(Isolation, LeavesNoCapabilityToUidZeroEither) {
  ContainerSpec spec =
      shell("id -u; grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | cut -f2 | sort -u");
  spec.identity = {.uid = 0, .gid = 0};
  EXPECT_EQ(run(spec).out, "0\n0000000000000000\n");
}

TEST_F(Isolation, KeepsANamedCapability) {
  if (is_rootless()) GTEST_SKIP() << "needs: root";
  ContainerSpec spec = shell("grep -E '^Cap(Eff|Bnd)' /proc/self/status | cut -f2");
  spec.identity.capabilities = {unsafe::Capability{"cap_net_bind_service"}};
  EXPECT_EQ(run(spec).out, "0000000000000400\n0000000000000400\n");
}

TEST_F(Isolation, ShowsOnlyItsOwnProcesses) {
  EXPECT_EQ(run_shell("echo /proc/[0-9]*").out, "/proc/1 /proc/2\n");
}

TEST_F(Isolation, HasNothingOfTheMachineInProc) {
  EXPECT_EQ(run_shell("ls -d /proc/sys /proc/kcore /proc/sysrq-trigger /sys 2>/dev/null").out, "");
}

TEST_F(Isolation, KeepsItsInitOutOfReachOfAPayloadOfTheSameUser) {
  const Outcome outcome = run_shell(
      "cat /proc/1/environ /proc/1/mem /proc/1/maps; ls /proc/1/fd; kill -9 1; echo alive");
  EXPECT_EQ(outcome.out, "alive\n") << outcome.err;
}

TEST_F(Isolation, HasAStitchedRootThatCannotBeWritten) {
  const Outcome outcome = run_shell(
      "for d in / /usr /etc /dev /proc; do touch $d/x 2>/dev/null && echo $d; done; touch /tmp/x "
      "/dev/shm/x && echo ok");
  EXPECT_EQ(outcome.out, "ok\n");
}

TEST_F(Isolation, CannotLeaveTheRootThroughDotDot) {
  std::ofstream{scratch() + "/canary"} << "planted";
  const Outcome outcome =
      run_shell("cat ../../../../../.." + scratch() + "/canary 2>/dev/null; ls -a / | head -3");
  EXPECT_EQ(outcome.out.find("planted"), std::string::npos);
}

TEST_F(Isolation, HasNoNetworkByDefaultAndALoopbackWhenAsked) {
  const std::string script =
      "cat /proc/self/net/dev | grep -c eth; ls /sys 2>/dev/null; "
      "python3 -c 'import socket; s=socket.socket(); s.settimeout(2);\n"
      "l=socket.socket(); l.bind((\"127.0.0.1\",0)); l.listen();\n"
      "s.connect(l.getsockname()); print(\"connected\")' 2>&1 | tail -1";
  EXPECT_NE(run_shell(script).out.find("Network is unreachable"), std::string::npos);
  ContainerSpec spec = shell(script);
  spec.namespaces.network = Network::loopback();
  EXPECT_NE(run(spec).out.find("connected"), std::string::npos);
}

TEST_F(Isolation, KeepsTwoIsolatedContainersFromMeetingThroughAnAbstractSocket) {
  ContainerSpec server = shell("");
  server.argv = {"python3", "-c",
                 "import socket; s=socket.socket(socket.AF_UNIX); s.bind('\\0meet'); s.listen();"
                 "c=socket.socket(socket.AF_UNIX); c.connect('\\0meet'); print('up', flush=True);"
                 "s.accept(); s.accept()"};
  server.name = "server";
  TestPipe out = make_pipe();
  server.stdio.out = out.writer;
  auto running = host().create(server);
  ASSERT_TRUE(running.has_value()) << running.error().message();
  ASSERT_EQ(read_until(out.reader, "up"), "up");
  ContainerSpec client = shell("");
  client.argv = {"python3", "-c",
                 "import socket; c=socket.socket(socket.AF_UNIX)\n"
                 "try: c.connect('\\0meet'); print('met')\n"
                 "except OSError as e: print('refused')"};
  EXPECT_EQ(run(client).out, "refused\n");
}

TEST_F(Isolation, MakesThePayloadRootInAUserNamespace) {
  if (is_rootless()) GTEST_SKIP() << "needs: root, for a range of ids";
  ContainerSpec spec = shell(
      "id -u; cat /proc/self/uid_map | tr -s ' '; touch /tmp/x; stat -c %u /tmp/x; grep CapEff "
      "/proc/self/status");
  spec.identity = {.uid = 0, .gid = 0};
  spec.namespaces.user = UserNamespace{.uids = {{0, 100000, 65536}}, .gids = {{0, 100000, 65536}}};
  const Outcome outcome = run(spec);
  EXPECT_EQ(outcome.out, "0\n 0 100000 65536\n0\nCapEff:\t0000000000000000\n") << outcome.err;
}

TEST_F(Isolation, PivotsIntoAMountNamespaceOfItsOwnWhenAsked) {
  ContainerSpec spec = shell("readlink /proc/self/root; wc -l < /proc/self/mountinfo");
  spec.namespaces.mount = MountNamespace::own;
  const Outcome outcome = run(spec);
  EXPECT_EQ(outcome.out.substr(0, 2), "/\n") << outcome.err;
  EXPECT_GT(std::stoi(outcome.out.substr(2)), 3);
}

TEST_F(Isolation, SetsTheHostname) {
  ContainerSpec spec = shell("uname -n");
  spec.hostname = "lean";
  EXPECT_EQ(run(spec).out, "lean\n");
}

TEST_F(Isolation, LeavesTheProgramThatEmbedsItDumpable) {
  run_shell("true");
  std::ifstream maps{"/proc/self/maps"};
  EXPECT_TRUE(maps.good());
}

TEST_F(Isolation, LeavesItDumpableWhateverItsThreadsDoAtOnce) {
  const auto start_some = [&](const std::string& name) {
    for (int i = 0; i < 50; ++i) {
      ContainerSpec spec = shell("");
      spec.argv = {"/bin/true"};
      spec.name = name;
      auto container = host().create(spec);
      EXPECT_TRUE(container.has_value() && container->wait().has_value());
    }
  };
  {
    const std::jthread other{start_some, "other"};
    start_some("mine");
  }
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}

}  // namespace
}  // namespace sock::test
