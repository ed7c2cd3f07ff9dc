// Packages that leave something behind when they are imported. What a fork would break is refused
// by name; of the rest nothing reaches a payload.

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

using CarelessModules = ZygoteTest;

TEST_F(CarelessModules, AreNamedWhenTheyForkOrEnd) {
  write_module("forks", "import os\nos.fork()\n");
  write_module("starts_process", "import subprocess\nleft = subprocess.Popen(['sleep', '60'])\n");
  write_module("exits", "import os\nos._exit(0)\n");
  write_module("closes_all", "import os\nos.closerange(0, 256)\n");
  write_module("breaks_stdout",
               "import sys\nclass Broken:\n  def flush(self): raise RuntimeError('mine')\n"
               "sys.stdout = Broken()\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(grow_error(zygote, "forks").subject, "UnsafeToFork: forks has left a process behind");
  EXPECT_EQ(grow_error(zygote, "starts_process").subject,
            "UnsafeToFork: starts_process has left a process behind");
  EXPECT_EQ(grow_error(zygote, "exits").code, Errc::closed);
  EXPECT_EQ(grow_error(zygote, "closes_all").code, Errc::closed);
  EXPECT_EQ(grow_error(zygote, "breaks_stdout").subject, "RuntimeError: mine");
  EXPECT_EQ(output_of(zygote, "print('still serving')"), "still serving\n");
}

// Or one container would write into the memory of the next.
TEST_F(CarelessModules, AreNamedWhenTheyShareMemory) {
  const std::string shared = " has mapped memory that is shared with its children: ";
  write_module("maps", "import mmap\nkept = mmap.mmap(-1, 100)\n");
  write_module("maps_file",
               "import mmap, tempfile\nfile = tempfile.TemporaryFile()\nfile.truncate(100)\n"
               "kept = mmap.mmap(file.fileno(), 100)\n");
  write_module("maps_memfd",
               "import mmap, os\nfile = os.memfd_create('left')\nos.ftruncate(file, 100)\n"
               "kept = mmap.mmap(file, 100)\nos.close(file)\n");
  write_module("attaches",
               "import ctypes\nlibc = ctypes.CDLL(None)\n"
               "libc.shmat.restype = ctypes.c_void_p\n"
               "kept = libc.shmat(libc.shmget(0, 4096, 0o600), None, 0)\n");
  // mprotect() could make it writable.
  write_module("maps_to_read",
               "import mmap, os\nfile = os.memfd_create('read')\nos.ftruncate(file, 100)\n"
               "kept = mmap.mmap(file, 100, prot=mmap.PROT_READ)\nos.close(file)\n");
  write_module("maps_what_it_may_only_read",
               "import mmap\nfile = open('/etc/passwd', 'rb')\n"
               "kept = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n");
  write_module("maps_privately", "import mmap\nkept = mmap.mmap(-1, 9, flags=mmap.MAP_PRIVATE)\n");
  write_module("lets_go", "import mmap\nmmap.mmap(-1, 100).close()\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(grow_error(zygote, "maps").subject,
            "UnsafeToFork: maps" + shared + "/dev/zero (deleted)");
  const Error of_file = grow_error(zygote, "maps_file");
  EXPECT_TRUE(of_file.subject.starts_with("UnsafeToFork: maps_file" + shared + "/tmp/"))
      << of_file.subject;
  EXPECT_EQ(grow_error(zygote, "maps_memfd").subject,
            "UnsafeToFork: maps_memfd" + shared + "/memfd:left (deleted)");
  EXPECT_EQ(grow_error(zygote, "attaches").subject,
            "UnsafeToFork: attaches" + shared + "/SYSV00000000 (deleted)");
  EXPECT_EQ(grow_error(zygote, "maps_to_read").subject,
            "UnsafeToFork: maps_to_read" + shared + "/memfd:read (deleted)");
  grow(zygote, "maps_what_it_may_only_read");
  grow(zygote, "maps_privately");
  grow(zygote, "lets_go");
}

// What a device knows of its process does not survive a fork (CUDA). Roots show no device but the
// harmless ones, whatever is bound into them.
TEST_F(CarelessModules, CannotOpenDevices) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root, to make a device";
  const dev_t fuse = ::makedev(10, 229);
  fs::create_directories(modules());
  ASSERT_EQ(::mknod((modules() + "/nvidia0").c_str(), S_IFCHR | 0666, fuse), 0);
  fs::permissions(modules() + "/nvidia0", fs::perms{0666});
  write_module("opens_device", "kept = open('/modules/nvidia0', 'rb', buffering=0)\n");
  write_module("looks_for_devices", "import os\nfound = sorted(os.listdir('/dev'))\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(grow_error(zygote, "opens_device").subject,
            "PermissionError: [Errno 13] Permission denied: '/modules/nvidia0'");
  Zygote child = grow(zygote, "looks_for_devices");
  EXPECT_EQ(output_of(child,
                      "import looks_for_devices as l\n"
                      "print([d for d in l.found if 'nvidia' in d or 'dri' in d])"),
            "[]\n");
}

TEST_F(CarelessModules, MayRunPrograms) {
  write_module("runs", "import subprocess\nsaid = subprocess.check_output(['echo', 'hello'])\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "runs");
  EXPECT_EQ(output_of(child, "import runs\nprint(runs.said)"), "b'hello\\n'\n");
}

TEST_F(CarelessModules, LeaveNoStateToPayloads) {
  write_module("messy", R"(
import atexit, os, signal, sys, tempfile, weakref
kept = tempfile.TemporaryDirectory()
class Thing: pass
thing = Thing()
weakref.finalize(thing, print, 'finalizer of the zygote')
atexit.register(print, 'hook of the zygote')
print('printed by the zygote', end='')
sys.__stdout__.write('written by the zygote')
os.chdir('/tmp')
os.umask(0o777)
os.environ['MESSY'] = '1'
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM):
    signal.signal(number, lambda *_: print('handler of the zygote'))
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
signal.alarm(3600)
file = open('/etc/passwd')
)");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "messy");
  const Outcome outcome = run_forked(child, command(R"(
import os, signal
print(open('/proc/self/environ').read().strip('\0'), end='')
print(os.getcwd(), oct(os.umask(0)), dict(os.environ), signal.alarm(0), len(os.listdir('/proc/self/fd')))
print([int(n) for n in signal.valid_signals() if signal.getsignal(n) not in (signal.SIG_DFL, None)])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.set_wakeup_fd(-1))
)"));
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_EQ(outcome.out, "/ 0o22 {} 0 4\n[2, 13, 25]\nset() -1\n") << outcome.err;
  // What the zygote still uses is still there.
  Zygote next = grow(child, "messy");
  EXPECT_EQ(output_of(zygote, "print('fine')"), "fine\n");
}

TEST_F(CarelessModules, LeavePayloadsTheirOwnNumbers) {
  write_module("knows_itself", R"(
import logging, multiprocessing, os, threading
numbers = os.getpid(), threading.get_native_id(), multiprocessing.current_process().pid
)");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "knows_itself");
  EXPECT_EQ(output_of(child, R"(
import logging, multiprocessing, os, threading
import knows_itself
print(os.getpid(), os.getppid(), threading.get_native_id(), multiprocessing.current_process().pid,
      multiprocessing.parent_process(), logging.makeLogRecord({}).process)
print(1 in knows_itself.numbers)
)"),
            "1 0 1 1 None 1\nFalse\n");
}

TEST_F(CarelessModules, KeepWhatTheyHaveOpenedWhateverAPayloadDoes) {
  write_module("opens", R"(
import asyncio, fcntl, os, select, tempfile
kept = tempfile.TemporaryDirectory()
locked = open(kept.name + '/lock', 'w')
fcntl.flock(locked, fcntl.LOCK_EX)
reader, writer = os.pipe()
epoll = select.epoll()
epoll.register(reader, select.EPOLLIN)
loop = asyncio.new_event_loop()
)");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "opens");
  const std::string said = output_of(child, R"(
import asyncio, fcntl, os
import opens
print(opens.kept.name)
def attempt(function, *arguments):
    try:
        print(function(*arguments))
    except OSError as error:
        print(error.strerror)
attempt(fcntl.flock, opens.locked.fileno(), fcntl.LOCK_UN)
attempt(opens.epoll.poll, 0)
attempt(os.write, opens.writer, b'x')
async def answer():
    return 'its own loop'
attempt(opens.loop.run_until_complete, answer())
attempt(asyncio.run, answer())
attempt(opens.kept.cleanup)
)");
  const std::string directory = said.substr(0, said.find('\n'));
  const std::string refused = "Bad file descriptor\n";
  EXPECT_EQ(said.substr(directory.size() + 1),
            refused + refused + refused + refused + "its own loop\nNone\n");
  const std::string lock = "/proc/" + std::to_string(child.pid()) + "/root" + directory + "/lock";
  const UniqueFd file{::open(lock.c_str(), O_RDONLY | O_CLOEXEC)};
  ASSERT_TRUE(file) << lock << " is gone";
  const int reason = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  EXPECT_EQ(reason, EWOULDBLOCK) << "the zygote's lock";
}

// What a spec says is so; of the rest docs/security.md says that it stays.
TEST_F(CarelessModules, LeaveToPayloadsWhatNoSpecSays) {
  write_module("settles", R"(
import locale, os, resource, sys
nice = os.nice(1)
processors = {min(os.sched_getaffinity(0))}
os.sched_setaffinity(0, processors)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))
locale.setlocale(locale.LC_ALL, 'C.UTF-8')
sys.path.append('/nowhere')
)");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "settles");
  ContainerSpec spec = command(R"(
import locale, os, resource, sys
import settles
print(os.nice(0) == settles.nice, os.sched_getaffinity(0) == settles.processors,
      locale.setlocale(locale.LC_ALL), sys.path[-1],
      *(resource.getrlimit(number) for number in
        (resource.RLIMIT_NOFILE, resource.RLIMIT_STACK, resource.RLIMIT_CORE)))
)");
  spec.rlimits = {{.name = "nofile", .value = 50}};
  EXPECT_EQ(run_forked(child, spec).out,
            "True True C.UTF-8 /nowhere (50, 50) (1048576, 1048576) (0, 0)\n");
}

TEST_F(CarelessModules, LeavePayloadsTheirOwnExitHooks) {
  write_module("uses_hooks", R"(
import logging, multiprocessing.util, tempfile, weakref
class Thing: pass
thing = Thing()
weakref.finalize(thing, print, 'finalizer of the zygote')
)");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "uses_hooks");
  EXPECT_EQ(output_of(child, R"(
import atexit, logging, logging.handlers, multiprocessing.util, sys, weakref
class Thing: pass
thing = Thing()
weakref.finalize(thing, print, 'finalizer of the payload')
atexit.register(print, 'hook of the payload')
multiprocessing.util.Finalize(None, print, ('end of multiprocessing',), exitpriority=1)
logging.getLogger().addHandler(logging.handlers.MemoryHandler(9, target=logging.StreamHandler(sys.stdout)))
logging.warning('logged by the payload')
)"),
            "hook of the payload\nfinalizer of the payload\nend of multiprocessing\n"
            "logged by the payload\n");
}

// A joined thread is still there for the kernel for a moment.
TEST_F(CarelessModules, MayHaveHadThreadsThatHaveEnded) {
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) {
    names.push_back("joins" + std::to_string(i));
    write_module(names.back(),
                 "import threading\nthread = threading.Thread(target=int)\n"
                 "thread.start()\nthread.join()\n");
  }
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const auto child = zygote.grow({.modules = names, .paths = {"/modules"}});
  EXPECT_TRUE(child) << child.error().message();
}

TEST_F(CarelessModules, LeaveNoPayloadWaitingForALock) {
  write_module("locks", R"(
import importlib, logging, threading
logging.basicConfig()
handler = logging.root.handlers[0]
def run():
    for name in ('colorsys', 'sched', 'stringprep'):
        importlib.import_module(name)
    logging.warning('said by a thread')
    handler.acquire()
thread = threading.Thread(target=run)
thread.start()
thread.join()
held_by_nobody = not handler.lock.acquire(blocking=False)
)");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "locks");
  EXPECT_EQ(output_of(child, "import locks\nprint(locks.held_by_nobody)"), "True\n");
  for (int i = 0; i < 200; ++i) {
    auto container =
        child.fork(command("import logging, colorsys, tabnanny\nlogging.warning('said')"));
    ASSERT_TRUE(container) << container.error().message();
    const auto status = container->wait_until(in(20s));
    ASSERT_TRUE(status && *status) << "fork " << i << " hangs";
    EXPECT_TRUE((*status)->ok());
  }
}

TEST_F(CarelessModules, FindADomainOutOfProcesses) {
  if (!has_cgroups()) GTEST_SKIP() << "needs cgroups";
  ZygoteDomainSpec spec = domain_spec("small");
  spec.resources.pids_max = 2;  // Its init, and one zygote.
  ZygoteDomain domain = open_domain(spec);
  Zygote zygote = first_zygote(domain);
  const Error error = fork_error(zygote, command("pass"));
  EXPECT_EQ(error.stage, Stage::fork);
  EXPECT_EQ(error.sys_errno, EAGAIN) << error.message();
  EXPECT_EQ(grow_error(zygote, "any").sys_errno, EAGAIN);
}

// pid 1 of the domain reaps them all.
TEST_F(CarelessModules, LeaveNoZombieOfAGrownZygote) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const std::string pid = std::to_string(zygote.pid());
  const std::string children = "/proc/" + pid + "/task/" + pid + "/children";
  for (int i = 0; i < 5; ++i) {
    auto child = zygote.grow({.modules = {}});
    ASSERT_TRUE(child) << child.error().message();
    // The process between the two ends a moment after the new zygote has said hello.
    const auto deadline = in(5s);
    while (content(children) != "" && std::chrono::steady_clock::now() < deadline) continue;
    EXPECT_EQ(content(children), "");
  }
  EXPECT_EQ(output_of(zygote, "print('serving')"), "serving\n");
}

}  // namespace
}  // namespace sock::test
