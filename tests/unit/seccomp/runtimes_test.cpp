// The profiles under the real kernel: language runtimes work. Those that this machine lacks are
// skipped.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "filtered_child.hpp"

namespace sock::test {
namespace {

constexpr const char* python_script = R"python(
import asyncio, ctypes, mmap, multiprocessing, os, signal, socket, sqlite3, ssl, subprocess
import tempfile, threading, concurrent.futures

def square(x): return x * x

results = []
threads = [threading.Thread(target=results.append, args=(i,)) for i in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
assert sorted(results) == list(range(8))

assert subprocess.run(["echo", "hi"], capture_output=True).stdout == b"hi\n"
assert subprocess.check_output("echo $((6*7))", shell=True, preexec_fn=os.setsid) == b"42\n"

async def main(path):
    server = await asyncio.start_unix_server(lambda r, w: (w.write(b"pong"), w.close()), path)
    reader, writer = await asyncio.open_unix_connection(path)
    assert await reader.read() == b"pong"
    child = await asyncio.create_subprocess_exec("true")
    assert await child.wait() == 0
    server.close()

with tempfile.TemporaryDirectory() as directory:
    asyncio.run(main(directory + "/socket"))
    database = sqlite3.connect(directory + "/db")
    database.execute("create table t(x)"); database.execute("insert into t values (7)")
    database.commit()
    assert database.execute("select x from t").fetchone() == (7,)
    os.mkfifo(directory + "/fifo"); os.symlink("fifo", directory + "/link")

with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(square, range(5)) == [0, 1, 4, 9, 16]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert list(pool.map(square, range(3))) == [0, 1, 4]
ssl.create_default_context()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, 0.001); signal.sigwait([signal.SIGALRM])
mmap.mmap(-1, 4096).close()
assert ctypes.CDLL(None).getpid() == os.getpid()
os.sched_getaffinity(0); os.getrandom(8); os.memfd_create("m"); os.listxattr("/")
a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x"
)python";

constexpr const char* python_network_script = R"python(
import asyncio, socket
socket.if_nameindex(); socket.getaddrinfo("127.0.0.1", 80)
async def main():
    server = await asyncio.start_server(lambda r, w: (w.write(b"pong"), w.close()), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b"pong"
asyncio.run(main())
)python";

constexpr const char* shell_script = R"shell(
set -e
directory=$(mktemp -d); trap 'rm -rf "$directory"' EXIT; cd "$directory"
seq 1 1000 | sort -rn | head -n 3 | tee out >/dev/null; cp -a out copy; mv copy moved; ln -s moved l
ls -l >/dev/null; stat l >/dev/null; df . >/dev/null; touch -d yesterday out; chmod 600 out
tar cf a.tar out; timeout 5 true; nice -n 1 true; id >/dev/null; uname -a >/dev/null; date >/dev/null
(exit 3) & wait $! || test $? = 3
)shell";

constexpr const char* compiler_script = R"shell(
set -e
directory=$(mktemp -d); trap 'rm -rf "$directory"' EXIT; cd "$directory"
echo 'int main(void) { return 0; }' >a.c; cc -O1 a.c -o a; ./a
)shell";

constexpr const char* node_script = R"node(
const {Worker} = require('worker_threads'); const {execFileSync} = require('child_process');
const fs = require('fs');
execFileSync('true'); fs.readFileSync('/proc/self/status');
fs.promises.readFile('/proc/self/stat').then(() =>
  new Worker('process.exit(0)', {eval: true}).on('exit', () => process.exit(0)));
)node";

struct Runtime {
  const char* name;
  std::vector<std::string> words;
};

class Runtimes : public testing::TestWithParam<Runtime> {};

INSTANTIATE_TEST_SUITE_P(Seccomp, Runtimes,
                         testing::Values(Runtime{"python", {"python3", "-c", python_script}},
                                         Runtime{"shell", {"bash", "-c", shell_script}},
                                         Runtime{"compiler", {"sh", "-c", compiler_script}},
                                         Runtime{"node", {"node", "-e", node_script}},
                                         Runtime{"go", {"go", "env", "GOOS"}},
                                         Runtime{"java", {"java", "-XX:-UsePerfData", "-version"}}),
                         [](const auto& runtime) { return runtime.param.name; });

/// Whether this machine can run it at all, so that a failure is the filter's.
bool works_without_a_filter(const std::vector<std::string>& words) {
  return run_program(SeccompPolicy::none(unsafe::AllowAllSyscalls{}), words).succeeded();
}

TEST_P(Runtimes, WorkUnderBothProfiles) {
  const auto& words = GetParam().words;
  if (!works_without_a_filter(words))
    GTEST_SKIP() << words[0] << " is missing here, or fails without any filter too";
  for (const auto& policy : {SeccompPolicy::handler(), SeccompPolicy::strict()}) {
    ASSERT_TRUE(policy.has_value());
    const Ended ended = run_program(*policy, words);
    EXPECT_TRUE(ended.succeeded()) << "status " << ended.wait_status << ": " << ended.output;
  }
}

TEST(HandlerProfileInTheKernel, LetsAProgramUseTheNetwork) {
  const std::vector<std::string> words = {"python3", "-c", python_network_script};
  if (!works_without_a_filter(words))
    GTEST_SKIP() << "python3 or the loopback network is missing here";
  const Ended ended = run_program(SeccompPolicy::handler().value(), words);
  EXPECT_TRUE(ended.succeeded()) << ended.output;
}

}  // namespace
}  // namespace sock::test
