// Packages that take their zygote over, and payloads that attack what they were forked from. The
// Host must answer within its deadline with a named error, be fooled into nothing, and keep
// nothing.
//
// What a payload of tests/payloads can try while it is imported is in tests/security.

#include <algorithm>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::size_t count_fds() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
}

/// What every hostile module begins with: the runtime's own parts, and messages by hand.
constexpr const char* takeover = R"(
import os, signal, socket, struct, sys
main = sys.modules['__main__']
core = main.core
def message(kind, fields=b''):
    return struct.pack('<IHH', 0x5a4b4353, 1, kind) + fields
def reason(text):
    return struct.pack('<HHI', 17, 0, len(text)) + text
FORK, GROW, LOAD, LOADED, HELLO, WORK, FAILED = range(1, 8)
def say(channel, data, *control):
    with socket.socket(fileno=os.dup(channel)) as peer:
        peer.sendmsg([data], control)
def answer(function):
    main.Zygote.answer_fork = function
def become(report):
    core.become = lambda channel: say(channel, report) or signal.pause()
)";

class HostileZygotes : public ZygoteTest {
 protected:
  ZygoteDomainSpec impatient(const std::string& name) {
    ZygoteDomainSpec spec = domain_spec(name);
    spec.deadline = 4s;
    return spec;
  }
  void write_hostile(const std::string& name, const std::string& code) {
    write_module(name, takeover + code);
  }
};

struct Trick {
  const char* name;
  const char* code;
  Errc expected;
};

// Each in place of making a child: what the Host hears on the channel of the child it has asked
// for.
constexpr Trick tricks[] = {
    {"garbage", "answer(lambda self, ns, channel: say(channel, os.urandom(100)))", Errc::corrupt},
    {"oversize", "answer(lambda self, ns, channel: say(channel, message(HELLO) + bytes(100000)))",
     Errc::corrupt},
    {"torn",
     "answer(lambda self, ns, channel: say(channel, message(FAILED, b'\\x11\\0\\0\\0\\xff')))",
     Errc::launch_failed},
    {"empty", "answer(lambda self, ns, channel: say(channel, b''))", Errc::closed},
    {"closes", "answer(lambda self, ns, channel: os.close(channel))", Errc::closed},
    {"silent", "answer(lambda self, ns, channel: None)", Errc::timed_out},
    {"wrong_kind", "answer(lambda self, ns, channel: say(channel, message(WORK)))", Errc::corrupt},
    {"complains",
     "answer(lambda self, ns, channel: say(channel, message(FAILED, reason(b'no' * 8000))))",
     Errc::launch_failed},
    {"dies", "answer(lambda self, ns, channel: os._exit(3))", Errc::closed},
    {"is_itself", "answer(lambda self, ns, channel: core.hello(channel) and None)", Errc::corrupt},
    {"two_answers",
     "old = core.fork\ncore.fork = lambda ns, channel, spare: old(ns, channel, spare) and "
     "core.hello(channel)",
     Errc::corrupt},
    {"bad_report", "become(bytes(7))", Errc::corrupt},
    {"no_bool", "become(bytes(12) + b'\\7' + bytes(STAGES * 8 + 19))", Errc::corrupt},
    {"no_report", "core.become = lambda channel: os.close(channel)", Errc::closed},
    {"killed", "core.become = lambda channel: os.abort()", Errc::closed},
};

TEST_F(HostileZygotes, AreRefusedByNameWithinTheDeadlineAndLeaveNothing) {
  ZygoteDomain domain = open_domain(impatient("domain"));
  Zygote honest = first_zygote(domain);
  EXPECT_EQ(output_of(honest, "print('before')"), "before\n");
  const std::size_t fds = count_fds();
  for (const Trick& trick : tricks) {
    const auto stages = static_cast<int>(Stage::stats) + 1;
    write_hostile(trick.name, "STAGES = " + std::to_string(stages) + "\n" + trick.code + "\n");
    Zygote hostile = grow(honest, trick.name);
    const auto begin = std::chrono::steady_clock::now();
    const Error error = fork_error(hostile, command("pass"));
    EXPECT_EQ(error.code, trick.expected) << trick.name << ": " << error.message();
    EXPECT_EQ(error.stage, Stage::fork) << trick.name;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s) << trick.name;
  }
  EXPECT_EQ(output_of(honest, "print('after')"), "after\n");
  EXPECT_EQ(count_fds(), fds);
}

// SO_LINGER lets the sender decide how long the last close() of a socket takes.
TEST_F(HostileZygotes, CannotMakeTheHostHoldADescriptor) {
  write_hostile("gives_away", R"(
said = []
def give(self, ns, channel):
    with open('/dev/null') as file:
        for attempt in ((message(HELLO), (socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                          struct.pack('i', file.fileno()))), (message(FAILED),)):
            try:
                say(channel, attempt[0], *attempt[1:])
                said.append('sent')
            except OSError as error:
                said.append(error.strerror)
    answer(old)
old = main.Zygote.answer_fork
answer(give)
)");
  ZygoteDomain domain = open_domain(impatient("domain"));
  Zygote honest = first_zygote(domain);
  Zygote hostile = grow(honest, "gives_away");
  EXPECT_EQ(fork_error(hostile, command("pass")).code, Errc::launch_failed);
  EXPECT_EQ(output_of(hostile, "import gives_away\nprint(gives_away.said)"),
            "['Operation not permitted', 'sent']\n");
}

// A sender may name another process only with CAP_SYS_ADMIN over its pid namespace, which is the
// Host's; and in one that it has made itself the kernel finds no other.
TEST_F(HostileZygotes, CannotNameAProcessOfTheHostAsTheirChild) {
  write_hostile("impostor", "HOST_PID = " + std::to_string(::getpid()) + R"(
said = []
def claim(self, ns, channel):
    for pid in (HOST_PID, os.getpid()):
        try:
            say(channel, message(HELLO), (socket.SOL_SOCKET, socket.SCM_CREDENTIALS,
                                          struct.pack('iII', pid, 0, 0)))
            said.append('sent')
        except OSError as error:
            said.append(error.strerror)
    answer(old)
old = main.Zygote.answer_fork
answer(claim)
)");
  ZygoteDomain domain = open_domain(impatient("domain"));
  Zygote honest = first_zygote(domain);
  Zygote hostile = grow(honest, "impostor");
  EXPECT_EQ(fork_error(hostile, command("pass")).code, Errc::corrupt);
  EXPECT_EQ(output_of(hostile, "import impostor\nprint(impostor.said)"),
            "['Operation not permitted', 'sent']\n");
}

// With its zygotes go their processes, and with pid 1 would go the whole domain.
TEST_F(HostileZygotes, CannotPassTheirDomainsFirstProcessForAZygote) {
  write_hostile("usurper", R"(
def claim(self, channel):
    try:
        say(channel, message(HELLO), (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack('iII', 1, 0, 0)))
    except OSError as error:
        core.failed(channel, error.strerror.encode(), error.errno)
main.Zygote.answer_grow = claim
)");
  ZygoteDomain domain = open_domain(impatient("domain"));
  Zygote honest = first_zygote(domain);
  Zygote hostile = grow(honest, "usurper");
  const auto grown = hostile.grow({.modules = {}});
  ASSERT_FALSE(grown.has_value());
  // The kernel says so, before the Host has to.
  EXPECT_TRUE(grown.error().message().contains("not permitted")) << grown.error().message();
  EXPECT_EQ(output_of(honest, "print('lives')"), "lives\n");
}

TEST_F(HostileZygotes, CannotKeepAContainerFromBeingKilled) {
  const auto stages = static_cast<int>(Stage::stats) + 1;
  write_hostile("never_confined", "STAGES = " + std::to_string(stages) + R"(
def confine(channel):
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    say(channel, struct.pack(f'B3xiIB3xi4xq{STAGES}q', 0, 0, 0, 1, -1, 0, *[0] * STAGES))
    if os.fork() == 0:
        os.setsid()
    while True:
        signal.pause()
core.become = confine
)");
  ZygoteDomain domain = open_domain(impatient("domain"));
  Zygote honest = first_zygote(domain);
  Zygote hostile = grow(honest, "never_confined");
  auto container = hostile.fork(command("pass"));
  ASSERT_TRUE(container) << container.error().message();
  EXPECT_TRUE(container->kill());
  const auto status = container->wait_until(in(5s));
  ASSERT_TRUE(status && *status);
  EXPECT_EQ(**status, (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
}

// The descriptors of a group outlive its use; whoever kept them must not get into the next one.
TEST_F(HostileZygotes, CannotEnterTheCgroupsOfWhoComesNext) {
  if (!has_cgroups()) GTEST_SKIP() << "needs cgroups";
  const std::string mail = scratch() + "/mail";
  fs::create_directory(mail);
  fs::permissions(mail, fs::perms::all);
  for (const char* name : {"go", "answer"}) {
    ASSERT_EQ(::mkfifo((mail + "/" + name).c_str(), 0666), 0);
    ASSERT_EQ(::chmod((mail + "/" + name).c_str(), 0666), 0);
  }
  write_hostile("keeps_groups", R"(
import array
ours, theirs = socket.socketpair()
def accomplice():
    received = array.array('i')
    _, control, _, _ = ours.recvmsg(1, 4096)
    for _, _, data in control:
        received.frombytes(data[:len(data) // 4 * 4])
    with open('/mail/answer', 'w') as answer:
        answer.write(f'holds {len(received)}\n')
    open('/mail/go').read()
    got_in = 0
    for file in received:
        try:
            os.write(file, b'0')
            got_in += 1
        except OSError:
            pass
    with open('/mail/answer', 'w') as answer:
        answer.write(f'entered {got_in}\n')
if os.fork() == 0:
    if os.fork() == 0:
        os.close(theirs.detach())
        accomplice()
    os._exit(0)
os.wait()
def take(channel):
    with socket.socket(fileno=os.dup(channel)) as peer:
        _, control, _, _ = peer.recvmsg(1 << 17, 4096)
    theirs.sendmsg([b'x'], [part for part in control if part[1] == socket.SCM_RIGHTS])
    os._exit(0)
core.become = take
)");
  ZygoteDomainSpec spec = impatient("hostile");
  spec.rootfs.binds.push_back({.source = mail, .target = "/mail", .access = Access::read_write});
  ZygoteDomain domain = open_domain(spec);
  Zygote honest = first_zygote(domain);
  const UniqueFd answer{::open((mail + "/answer").c_str(), O_RDWR | O_CLOEXEC)};
  UniqueFd go{::open((mail + "/go").c_str(), O_RDWR | O_CLOEXEC)};
  Zygote hostile = grow(honest, "keeps_groups");
  EXPECT_EQ(fork_error(hostile, command("pass")).code, Errc::closed);
  const std::string holds = read_until(answer, "\n");
  ASSERT_TRUE(holds.starts_with("holds ")) << holds;
  EXPECT_GE(std::stoi(holds.substr(6)), 2) << "a root, and at least one cgroup.procs";
  // More than the pool has in reserve: one of them would be the group that was given back.
  std::vector<Container> next;
  for (int i = 0; i < 4; ++i) {
    ContainerSpec sleeper = shell("exec sleep 60");
    sleeper.name = "next" + std::to_string(i);
    sleeper.init = Init::none;
    auto container = host().create(sleeper);
    ASSERT_TRUE(container) << container.error().message();
    next.push_back(std::move(*container));
  }
  ASSERT_EQ(::write(go.get(), "\n", 1), 1);
  go.reset();
  EXPECT_EQ(read_until(answer, "\n"), "entered 0\n");
  for (Container& container : next) {
    EXPECT_EQ(container.stats()->pids_current.value_or(1), 1U);
    EXPECT_TRUE(container.kill());
    EXPECT_TRUE(container.wait());
  }
}

TEST_F(HostileZygotes, ReachOnlyTheirOwnDomain) {
  write_module("kills_all", "import os\nos.kill(-1, 9)\n");
  ZygoteDomain other = open_domain("other");
  Zygote bystander = first_zygote(other);
  ZygoteDomain domain = open_domain("hostile");
  Zygote honest = first_zygote(domain);
  EXPECT_NE(domain.user_namespace(), other.user_namespace());
  auto grown = honest.grow({.modules = {"kills_all"}, .paths = {"/modules"}});
  ASSERT_TRUE(grown) << grown.error().message();
  // As a control: its own domain's other zygote was within its reach, the domain itself was not.
  EXPECT_EQ(fork_error(honest, command("pass")).code, Errc::closed);
  auto next = domain.start_zygote();
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(output_of(*next, "print('alive')"), "alive\n");
  EXPECT_EQ(output_of(bystander, "print('untouched')"), "untouched\n");
}

// As root of the domain's user namespace: the same user as the zygote.
TEST_F(HostileZygotes, AreOutOfReachOfTheContainersTheyFork) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  TestPipe out = make_pipe();
  ContainerSpec sibling = command("import signal\nprint('up', flush=True)\nsignal.pause()");
  sibling.name = "sibling";
  sibling.identity = {.uid = 0, .gid = 0, .groups = {}, .capabilities = {}};
  sibling.stdio.out = out.writer;
  auto neighbour = zygote.fork(sibling);
  ASSERT_TRUE(neighbour) << neighbour.error().message();
  read_until(out.reader, "up");
  ContainerSpec attack = command(R"(
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
reached = []
for pid in range(2, 400):
    try:
        os.kill(pid, 0)
        reached.append(pid)
    except ProcessLookupError:
        pass
for pid in (-1, -2):
    try:
        os.kill(pid, signal.SIGKILL)
        reached.append(pid)
    except ProcessLookupError:
        pass
print(reached, [name for name in os.listdir('/proc') if name.isdecimal()],
      sorted(map(int, os.listdir('/proc/self/fd')))[:-1])
import gc, socket
print([o for o in gc.get_objects() if isinstance(o, socket.socket)])
child = os.fork()
if child == 0:
    signal.pause()
PTRACE_ATTACH = 16
attached = libc.ptrace(PTRACE_ATTACH, child, 0, 0)
print('traces its own child:', attached == 0, ctypes.get_errno())
os.kill(child, signal.SIGKILL)
)");
  attack.identity = sibling.identity;
  EXPECT_EQ(run_forked(zygote, attack).out,
            "[] ['1'] [0, 1, 2]\n[]\ntraces its own child: False 1\n");
  // As a control: created, with a filter that lets it (without cgroups, pid 1 would be its init).
  // What is forked keeps its zygote's filter too.
  SeccompPolicy::Builder tracer{SeccompPolicy::Builder::Base::handler};
  attack.seccomp = *tracer.allow(unsafe::AllowPtrace{}).compile();
  EXPECT_TRUE(run_forked(zygote, attack).out.contains("traces its own child: False 1\n"));
  attack.identity = {};
  if (has_cgroups()) {
    EXPECT_TRUE(run(attack).out.contains("traces its own child: True 0\n"));
  }
  EXPECT_FALSE(*neighbour->wait_until(in(0ms)));
  EXPECT_EQ(output_of(zygote, "print('serving')"), "serving\n");
}

TEST_F(HostileZygotes, LeaveEveryForkWholeOrRefusedWhenTheyAreKilled) {
  ZygoteDomain domain = open_domain();
  Zygote root = first_zygote(domain);
  {
    // Two at a time: the reserve of groups, with their descriptors, is as large as it gets.
    auto first = root.fork(command("pass"));
    EXPECT_EQ(output_of(root, "print('before')", "second"), "before\n");
  }
  const std::size_t fds = count_fds();
  for (int round = 0; round < 4; ++round) {
    auto victim = root.grow({.modules = {}});
    ASSERT_TRUE(victim) << victim.error().message();
    ASSERT_TRUE(victim->keep_spares(round % 2 == 0 ? 0 : 2));
    std::jthread forker{[&, this] {
      for (int i = 0; i < 200; ++i) {
        ContainerSpec spec = command("pass");
        spec.name = "mid-fork";
        auto container = victim->fork(spec);
        if (!container) {
          EXPECT_EQ(container.error().code, Errc::closed) << container.error().message();
          return;
        }
        EXPECT_TRUE(container->wait()->ok());
      }
    }};
    // Long enough for some of them; any moment is a good one.
    output_of(root, "pass");
    ASSERT_EQ(::kill(victim->pid(), SIGKILL), 0);
  }
  EXPECT_EQ(output_of(root, "print('serving')"), "serving\n");
  EXPECT_EQ(count_fds(), fds);
}

}  // namespace
}  // namespace sock::test
