#pragma once

// A store of snapshots for each test, and a payload that can tell whether all of it came back.

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <unistd.h>

#include "host_fixture.hpp"

namespace sock::test {

// Sets up what a process can have, says "ready", and answers each line of its input with what has
// become of all that.
inline constexpr const char* program = R"py(
import os, queue, select, signal, socket, sys, threading, time
state = {}
open('/tmp/kept', 'w').write('kept')
deleted = open('/tmp/deleted', 'w+'); deleted.write('deleted'); deleted.flush(); os.unlink('/tmp/deleted')
memory = os.memfd_create('memory'); os.write(memory, b'memory')
reader, writer = os.pipe(); os.write(writer, b'in the pipe')
left, right = socket.socketpair(); left.send(b'in the socket')
server = socket.socket(socket.AF_UNIX); server.bind('/tmp/server'); server.listen(4)
epoll = select.epoll(); epoll.register(reader, select.EPOLLIN)
signal.signal(signal.SIGUSR1, lambda *_: state.update(usr1=True))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
signal.setitimer(signal.ITIMER_REAL, 1.5)
child_in, to_child = os.pipe(); from_child, child_out = os.pipe()
if os.fork() == 0:
    while os.read(child_in, 1): os.write(child_out, b'child')
    os._exit(0)
questions, answers = queue.Queue(), queue.Queue()
def thread():
    while True: answers.put(questions.get() + 1)
threading.Thread(target=thread, daemon=True).start()
os.chdir('/tmp')
start = time.monotonic()
print('ready', flush=True)
for line in sys.stdin:
    if line == 'what\n':
        os.lseek(memory, 0, 0); deleted.seek(0)
        os.write(to_child, b'x')
        client = socket.socket(socket.AF_UNIX); client.connect('/tmp/server')
        questions.put(41)
        os.kill(os.getpid(), signal.SIGUSR1)
        print(open('/tmp/kept').read(), deleted.read(), os.read(memory, 9).decode(),
              [fd for fd, _ in epoll.poll(0)] == [reader], os.read(reader, 99).decode(),
              right.recv(99).decode(), os.read(from_child, 9).decode(), os.getcwd(),
              answers.get(timeout=20), state.get('usr1'), start <= time.monotonic(), sep='|', flush=True)
    elif line == 'alarm\n':
        print(signal.sigwait({signal.SIGALRM}).name, flush=True)
    else:
        print(line.strip(), flush=True)
)py";
inline constexpr const char* all_of_it =
    "kept|deleted|memory|True|in the pipe|in the socket|child|/tmp|42|True|True\n";

/// A container and the other ends of its pipes.
struct Talker {
  Container container;
  UniqueFd to;
  UniqueFd from;

  std::string ask(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(to.get(), text.data(), text.size()) < 0) return "gone";
    return read_until(from, "\n");
  }
};

class Checkpoint : public HostTest {
 protected:
  void SetUp() override {
    HostTest::SetUp();
    if (is_rootless()) GTEST_SKIP() << "snapshots need a Host with root";
    if (!has_cgroups()) GTEST_SKIP() << "snapshots need cgroups";
    if (!is_tested_with("detached_roots")) GTEST_SKIP() << "snapshots need Linux 6.15";
    auto opened = SnapshotStore::open({.directory = scratch() + "/snapshots"});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    store_.emplace(std::move(*opened));
  }

  SnapshotStore& store() { return *store_; }

  ContainerSpec talker_spec(const std::string& name) {
    ContainerSpec spec = shell("");
    spec.name = name;
    spec.argv = {"python3", "-c", program};
    spec.checkpointable = true;
    return spec;
  }
  Talker start(ContainerSpec spec) { return start(host(), std::move(spec)); }
  static Talker start(Host& host, ContainerSpec spec) {
    TestPipe in = make_pipe();
    TestPipe out = make_pipe();
    spec.stdio = {.in = in.reader, .out = out.writer};
    auto container = host.create(spec);
    EXPECT_TRUE(container.has_value()) << container.error().message();
    Talker talker{std::move(*container), std::move(in.writer), std::move(out.reader)};
    EXPECT_EQ(read_until(talker.from, "\n"), "ready\n");
    return talker;
  }
  static Result<Talker> restore(Host& host, const SnapshotInUse& snapshot, RestoreOptions options) {
    TestPipe in = make_pipe();
    TestPipe out = make_pipe();
    options.stdio = {.in = in.reader, .out = out.writer};
    auto container = host.restore(snapshot, options);
    if (!container.has_value()) return std::unexpected(container.error());
    return Talker{std::move(*container), std::move(in.writer), std::move(out.reader)};
  }
  Talker restore(const std::string& snapshot, const std::string& name) {
    auto used = store().use(snapshot);
    EXPECT_TRUE(used.has_value()) << used.error().message();
    auto restored = restore(host(), *used, {.name = name});
    EXPECT_TRUE(restored.has_value()) << restored.error().message();
    return std::move(*restored);
  }
  Snapshot checkpoint(Container& container, const CheckpointOptions& options) {
    auto written = container.checkpoint(store(), options);
    EXPECT_TRUE(written.has_value()) << written.error().message();
    return written.value_or(Snapshot{});
  }
  Error checkpoint_error(Container& container, const CheckpointOptions& options) {
    auto written = container.checkpoint(store(), options);
    EXPECT_FALSE(written.has_value());
    EXPECT_TRUE(std::filesystem::is_empty(scratch() + "/snapshots/staging"));
    return written.has_value() ? Error{} : written.error();
  }

 private:
  std::optional<SnapshotStore> store_;
};

inline std::string link_of(pid_t pid, const std::string& name) {
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/" + name);
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace sock::test
