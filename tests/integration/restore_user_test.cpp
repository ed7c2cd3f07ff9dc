// Snapshots that come back for another user.

#include <algorithm>
#include <sstream>

#include <signal.h>

#include "checkpoint_fixture.hpp"

namespace sock::test {
namespace {

// All that a user can own in a container, and afterwards whether that is still his: one line for
// what the kernel says of it, and each that he may not use.
constexpr const char* owner_program = R"py(
import fcntl, os, signal, socket, sys, threading
os.umask(0o077)
os.makedirs('/tmp/directory/below'); open('/tmp/directory/below/file', 'w').write('mine')
os.symlink('nowhere', '/tmp/link'); os.mkfifo('/tmp/fifo')
deleted = open('/tmp/deleted', 'w+'); os.unlink('/tmp/deleted')
memory = os.memfd_create('memory')
server = socket.socket(socket.AF_UNIX); server.bind('/tmp/server'); server.listen(4)
left, right = socket.socketpair()
signal.signal(signal.SIGIO, lambda *_: signals.append(1)); signals = []
fcntl.fcntl(right, fcntl.F_SETOWN, os.getpid())
fcntl.fcntl(right, fcntl.F_SETFL, fcntl.fcntl(right, fcntl.F_GETFL) | os.O_ASYNC)
child_in, to_child = os.pipe(); from_child, child_out = os.pipe()
def ids():
    return f'{os.getresuid()}{os.getresgid()}{os.getgroups()}'
if os.fork() == 0:
    while os.read(child_in, 1): os.write(child_out, ids().encode())
    os._exit(0)
def of_threads():
    fields = ('Uid', 'Gid', 'Groups', 'CapEff', 'CapBnd')
    return {tuple(line for line in open(f'/proc/self/task/{thread}/status') if line.startswith(fields))
            for thread in os.listdir('/proc/self/task')}
forever = threading.Event()
threading.Thread(target=forever.wait, daemon=True).start()
def owners():
    places = [os.stat(fd) for fd in (memory, deleted.fileno())]
    for top, directories, files in os.walk('/tmp'):
        places += [os.lstat(os.path.join(top, name)) for name in directories + files]
    return sorted({(place.st_uid, place.st_gid) for place in places}), len(places)
def use():
    assert open('/tmp/directory/below/file').read() == 'mine'
    open('/tmp/directory/below/new', 'w').close(); os.unlink('/tmp/directory/below/new')
    os.open(f'/proc/self/fd/{memory}', os.O_RDWR); os.open(f'/proc/self/fd/{deleted.fileno()}', os.O_RDWR)
    client = socket.socket(socket.AF_UNIX); client.connect('/tmp/server')
    left.send(b'x'); right.recv(1)
    server.accept()[0].close()
    assert signals, 'nobody was signalled'
    assert len(of_threads()) == 1, of_threads()
print('ready', flush=True)
for line in sys.stdin:
    os.write(to_child, b'x')
    use()
    print(ids(), os.read(from_child, 99).decode() == ids(), *owners(), flush=True)
)py";

ContainerSpec owner_spec(ContainerSpec spec) {
  spec.argv = {"python3", "-c", owner_program};
  spec.identity = {.uid = 2001, .gid = 2002, .groups = {2003}};
  spec.checkpointable = true;
  return spec;
}

std::string of(int uid, int gid, const std::string& groups) {
  std::ostringstream text;
  text << "(" << uid << ", " << uid << ", " << uid << ")(" << gid << ", " << gid << ", " << gid
       << ")" << groups << " True [(" << uid << ", " << gid << ")] 8\n";
  return text.str();
}

TEST_F(Checkpoint, ComesBackForAnotherUser) {
  Talker original = start(owner_spec(shell("")));
  EXPECT_EQ(original.ask("who"), of(2001, 2002, "[2003]"));
  checkpoint(original.container, {.name = "snap"});
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  const auto as = [&](const std::string& name, std::optional<RestoreOptions::User> user) {
    return restore(host(), *used, {.name = name, .user = std::move(user)});
  };
  auto other = as("other", RestoreOptions::User{.uid = 70'001, .gid = 70'002, .groups = {5, 6}});
  ASSERT_TRUE(other.has_value()) << other.error().message();
  EXPECT_EQ(other->ask("who"), of(70'001, 70'002, "[5, 6]"));
  // The snapshot has not changed, and what was restored has a user like any other container.
  auto same = as("same", std::nullopt);
  ASSERT_TRUE(same.has_value()) << same.error().message();
  EXPECT_EQ(same->ask("who"), of(2001, 2002, "[2003]"));
  EXPECT_TRUE(store().verify("snap")->ok());
  EXPECT_TRUE(std::filesystem::is_empty(scratch() + "/snapshots/staging"));
  TestPipe out = make_pipe();
  auto process = other->container.exec({.argv = {"cat", "/tmp/directory/below/file"},
                                        .identity = {.uid = 70'001, .gid = 70'002},
                                        .stdio = {.out = out.writer}});
  ASSERT_TRUE(process.has_value()) << process.error().message();
  out.writer.reset();
  EXPECT_EQ(drain(out.reader), "mine");
  EXPECT_TRUE(process->wait()->ok());
  checkpoint(other->container, {.name = "second"});
  EXPECT_EQ(restore("second", "third").ask("who"), of(70'001, 70'002, "[5, 6]"));
}

TEST_F(Checkpoint, RefusesAnotherUserBeforeAnythingIsStarted) {
  Talker original = start(owner_spec(shell("")));
  checkpoint(original.container, {.name = "snap"});
  const auto used = store().use("snap");
  ASSERT_TRUE(used.has_value()) << used.error().message();
  const RestoreOptions::User nobody{.uid = static_cast<uid_t>(-1), .gid = 0};
  const auto refused = restore(host(), *used, {.name = "never", .user = nobody});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_spec) << refused.error().message();
}

TEST_F(Checkpoint, KeepsWhatSystemVOwns) {
  ContainerSpec spec = shell("");
  spec.argv = {
      "python3", "-c",
      "import ctypes, sys\n"
      "libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p\n"
      "shared = libc.shmget(0, 4096, 0o600)\n"
      "print('ready', flush=True)\n"
      "for line in sys.stdin: print(libc.shmat(shared, None, 0) != 2**64 - 1, flush=True)\n"};
  spec.checkpointable = true;
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap"});
  EXPECT_EQ(restore("snap", "same").ask("attach"), "True\n");
  const auto used = store().use("snap");
  const auto refused = restore(
      host(), *used, {.name = "never", .user = RestoreOptions::User{.uid = 70'001, .gid = 70'002}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unsupported) << refused.error().message();
  EXPECT_TRUE(std::filesystem::is_empty(scratch() + "/snapshots/staging"));
}

}  // namespace
}  // namespace sock::test
