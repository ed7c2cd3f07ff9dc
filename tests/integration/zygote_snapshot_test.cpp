// Zygotes written down and restored: what comes back, as often as it is wanted.

#include <cstdlib>

#include <poll.h>

#include "zygote_snapshot_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

TEST_F(ZygoteSnapshots, GoOnWithWhatWasImportedWhenAllElseIsGone) {
  write_down("counted", "import decimal, json\nvalues = list(range(100000))\n");
  ZygoteDomain domain = restored();
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(output_of(zygote,
                      "import sys\nseen = 'counted' in sys.modules and 'decimal' in sys.modules\n"
                      "import counted\nprint(seen, sum(counted.values), len(sys.argv))"),
            "True 4999950000 1\n");
  EXPECT_EQ(domain.container().timings().back().stage, Stage::restore);
}

TEST_F(ZygoteSnapshots, TellWhatTheyAre) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const auto snapshot = zygote.checkpoint(
      *store_, {.name = "kept", .origins = {"numpy==1"}, .annotation = "any \xff text"});
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message();
  const auto found = store_->find("kept");
  ASSERT_TRUE(found.has_value()) << found.error().message();
  EXPECT_EQ(found->kind, Snapshot::Kind::zygote);
  EXPECT_EQ(found->annotation, "any \xff text");
  EXPECT_EQ(found->origins, std::vector<std::string>{"numpy==1"});
  EXPECT_EQ(found->processes, 1);
  EXPECT_EQ(found->digest, snapshot->digest);
  EXPECT_GT(found->bytes, 1U << 20U);
  const auto verified = store_->verify("kept");
  ASSERT_TRUE(verified.has_value()) << verified.error().message();
  EXPECT_TRUE(verified->ok());
}

TEST_F(ZygoteSnapshots, LeaveTheZygoteAsItWas) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ASSERT_TRUE(zygote.keep_spares(1).has_value());
  written(zygote, "one");
  EXPECT_EQ(output_of(zygote, "print(1)"), "1\n");
  written(zygote, "two");
  EXPECT_EQ(output_of(zygote, "print(2)"), "2\n");
}

TEST_F(ZygoteSnapshots, EndItWhenAskedTo) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ASSERT_TRUE(zygote.checkpoint(*store_, {.name = "kept", .after = CheckpointOptions::After::stop})
                  .has_value());
  pollfd ended{.fd = zygote.pidfd().get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ended, 1, 10'000), 1);
}

// What realloc() would grow by mremap(), in the file of pages.
TEST_F(ZygoteSnapshots, HaveBlocksThatGrow) {
  write_down("blocks", R"(
blocks = [bytearray(bytes([65 + n]) * (300_000 + n * 100_000)) for n in range(12)]
last = [7] * 3_000_000
)");
  constexpr const char* grow_them = R"(
import blocks
for n, block in enumerate(blocks.blocks):
    del block[200_000:]
    block.extend(b'g' * (5 << 20))
    assert block == bytes([65 + n]) * 200_000 + b'g' * (5 << 20)
blocks.last.extend([1] * 20_000_000)
print(len(blocks.last), sum(blocks.last)))";
  {
    ZygoteDomain domain = restored();
    Zygote first = first_zygote(domain);
    EXPECT_EQ(output_of(first, grow_them), "23000000 41000000\n");
    written(first, "again");
  }
  ZygoteDomain domain = restored("again");
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(output_of(zygote, grow_them), "23000000 41000000\n");
}

TEST_F(ZygoteSnapshots, RestoreAnyNumberOfTimesAtOnce) {
  write_down("state", "value = [1]\n");
  std::vector<ZygoteDomain> domains;
  std::vector<Zygote> zygotes;
  for (int number = 0; number < 5; ++number) {
    domains.push_back(restored("kept", "copy" + std::to_string(number)));
    zygotes.push_back(first_zygote(domains.back()));
  }
  for (auto& zygote : zygotes)
    EXPECT_EQ(output_of(zygote, "import state\nstate.value[0] += 1\nprint(state.value)"), "[2]\n");
  for (auto& zygote : zygotes)
    EXPECT_EQ(output_of(zygote, "import state\nprint(state.value)"), "[1]\n");
}

// Each is a zygote like any other: it grows, keeps spares, and is written down again.
TEST_F(ZygoteSnapshots, RestoreToZygotesThatGrowAndAreWrittenDownAgain) {
  write_down("below", "name = 'below'\n");
  write_module("above", "import below\nname = below.name + ' and above'\n");
  {
    ZygoteDomain domain = restored();
    Zygote first = first_zygote(domain);
    Zygote second = grow(first, "above");
    ASSERT_TRUE(second.keep_spares(2).has_value());
    EXPECT_EQ(output_of(second, "import above\nprint(above.name)"), "below and above\n");
    written(second, "again");
  }
  ZygoteDomain domain = restored("again");
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(
      output_of(zygote, "import sys\nprint('above' in sys.modules, sys.modules['above'].name)"),
      "True below and above\n");
}

// A package that makes all that is random the same, and has used what makes itself random at first
// use; and 128 bits of each, in a container.
constexpr const char* unlucky =
    "import random, secrets, ssl, tempfile, uuid, numpy.random\n"
    "random.seed(7)\nnumpy.random.seed(7)\nssl.RAND_bytes(8)\nuuid.uuid4()\n"
    "own = random.Random(7)\n";
constexpr const char* print_random =
    "import random, secrets, ssl, tempfile, uuid, numpy.random\n"
    "print(random.getrandbits(128), numpy.random.bytes(16).hex(), ssl.RAND_bytes(16).hex(),\n"
    "      uuid.uuid4(), secrets.token_hex(16), next(tempfile._get_candidate_names()))";

int many_siblings() {
  return std::getenv("SOCK_TEST_FULL") != nullptr ? 1000 : 100;
}

TEST_F(ZygoteSnapshots, ForkContainersThatDifferInWhatShouldBeRandom) {
  write_down("unlucky", unlucky);
  std::vector<ZygoteDomain> domains;
  std::vector<Zygote> zygotes;
  for (const char* name : {"a", "b"}) {
    domains.push_back(restored("kept", name));
    zygotes.push_back(first_zygote(domains.back()));
  }
  int turn = 0;
  expect_all_differ(many_siblings(), [&] {
    return output_of(zygotes[static_cast<std::size_t>(turn++ % 2)], print_random);
  });
  // A package's own generators are its own matter (docs/security.md).
  constexpr const char* draw_own = "import unlucky\nprint(unlucky.own.random())";
  EXPECT_EQ(output_of(zygotes[0], draw_own), output_of(zygotes[1], draw_own));
}

TEST_F(ZygoteSnapshots, RunTheFunctionsOfPackagesBeforeAndAfter) {
  write_down("hooked",
             "from snapshot_restore_py import register_before_snapshot, register_after_restore\n"
             "told = []\n"
             "@register_before_snapshot\ndef before(): told.append('before')\n"
             "register_before_snapshot(told.append, 'first, since registered last')\n"
             "register_after_restore(told.append, 'after')\n"
             "register_after_restore(told.extend, ['and', 'again'])\n");
  ZygoteDomain domain = restored();
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(output_of(zygote, "import hooked\nprint(*hooked.told)"),
            "first, since registered last before after and again\n");
}

TEST_F(ZygoteSnapshots, KeepWhatAProcessIsToTheKernel) {
  write_down("odd",
             "import os, signal, ctypes\n"
             "os.chdir('/modules')\nos.umask(0o027)\n"
             "signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
             "libc = ctypes.CDLL(None, use_errno=True)\n"
             "libc.prctl(15, b'named', 0, 0, 0)\n"
             "argv = open('/proc/self/cmdline').read()\n"
             "auxv = open('/proc/self/auxv', 'rb').read()\n"
             "exe = os.readlink('/proc/self/exe')\n"
             "libc.sbrk.restype = ctypes.c_void_p\n"
             "heap = libc.sbrk(0)\n");
  write_module("look",
               "import os, signal, odd\n"
               "seen = [os.getcwd(), oct(os.umask(0o027)), signal.getsignal(signal.SIGUSR1).name,\n"
               "        open('/proc/self/comm').read().strip(),\n"
               "        open('/proc/self/cmdline').read() == odd.argv,\n"
               "        open('/proc/self/auxv', 'rb').read() == odd.auxv,\n"
               "        os.readlink('/proc/self/exe') == odd.exe,\n"
               "        0 < odd.heap <= odd.libc.sbrk(4096) < 1 << 47,\n"
               "        sorted(os.listdir('/proc/self/fd'))[:4],\n"
               "        'sock-restorer' in open('/proc/self/maps').read()]\n");
  ZygoteDomain domain = restored();
  Zygote first = first_zygote(domain);
  Zygote zygote = grow(first, "look");
  EXPECT_EQ(output_of(zygote, "import look\nprint(*look.seen[:-2], look.seen[-1])"),
            "/modules 0o27 SIG_IGN named True True True True False\n");
}

// What a child of a restored zygote inherits must be as little as what a child of a living one
// does.
TEST_F(ZygoteSnapshots, ForkContainersThatHoldNothing) {
  write_down("plain", "");
  ZygoteDomain domain = restored();
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(output_of(zygote,
                      "import os\n"
                      "for line in open('/proc/self/status'):\n"
                      "    if line.startswith('Cap'): print(*line.split())\n"
                      "print(sorted(os.listdir('/proc/self/fd'))[:-1])"),
            "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"
            "CapBnd: 0000000000000000\nCapAmb: 0000000000000000\n['0', '1', '2']\n");
  EXPECT_EQ(
      std::distance(fs::directory_iterator{"/proc/" + std::to_string(zygote.pid()) + "/fd"}, {}), 4)
      << "stdio and the channel";
}

// Growing, shrinking and growing again, in one process each: the C library and the kernel must
// agree on where the heap ends.
TEST_F(ZygoteSnapshots, HaveAHeapThatGrowsAndShrinks) {
  write_down("heap", "import ctypes\nlibc = ctypes.CDLL(None)\n");
  const std::string code =
      "import ctypes\nfrom heap import libc\n"
      "libc.malloc.restype = ctypes.c_void_p\nlibc.free.argtypes = [ctypes.c_void_p]\n"
      "def fill(count):\n"
      "    blocks = [libc.malloc(100_000) for _ in range(count)]\n"
      "    for number, block in enumerate(blocks): ctypes.memset(block, number % 251, 100_000)\n"
      "    same = all(ctypes.string_at(block, 100_000) == bytes([number % 251]) * 100_000\n"
      "               for number, block in enumerate(blocks))\n"
      "    for block in reversed(blocks): libc.free(block)\n"
      "    libc.malloc_trim(0)\n"
      "    return same and len(set(blocks)) == count\n"
      "libc.malloc_trim(0)\n"
      "print(fill(300), fill(10), fill(500), [0] * 5_000_000 == [0] * 5_000_000)";
  {
    ZygoteDomain domain = restored();
    Zygote zygote = first_zygote(domain);
    EXPECT_EQ(output_of(zygote, code), "True True True True\n");
  }
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  const auto outcome =
      run_forked([&](const ContainerSpec& spec) { return host().fork(*use, spec); }, created(code));
  EXPECT_EQ(outcome.out, "True True True True\n") << outcome.err;
}

TEST_F(ZygoteSnapshots, HoldMemoryAtOddPlaces) {
  write_down("memory",
             "import ctypes, mmap, os\n"
             "libc = ctypes.CDLL(None, use_errno=True)\n"
             "libc.mmap.restype = ctypes.c_void_p\n"
             "libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + "
             "[ctypes.c_long]\n"
             "PRIVATE, FIXED, ANONYMOUS, NORESERVE = 2, 16, 32, 0x4000\n"
             "low = libc.mmap(0x10000000, 4096, 3, PRIVATE | FIXED | ANONYMOUS, -1, 0)\n"
             "ctypes.memset(low, 7, 4096)\n"
             "huge = libc.mmap(None, 1 << 38, 3, PRIVATE | ANONYMOUS | NORESERVE, -1, 0)\n"
             "ctypes.memset(huge + (1 << 37), 8, 1)\n"
             "locked = libc.mmap(None, 8192, 3, PRIVATE | ANONYMOUS, -1, 0)\n"
             "ctypes.memset(locked, 9, 8192)\n"
             "libc.mprotect(ctypes.c_void_p(locked), 8192, 0)\n"
             "own = open(__file__, 'rb')\n"
             "private = mmap.mmap(own.fileno(), 0, access=mmap.ACCESS_COPY)\n"
             "private[0:3] = b'own'\n"
             "unwritten = mmap.mmap(own.fileno(), 0, access=mmap.ACCESS_COPY)\n"
             "gone = os.memfd_create('gone')\nos.write(gone, b'g' * 10000)\n"
             "copied = mmap.mmap(gone, 0, access=mmap.ACCESS_COPY)\n"
             "os.close(gone)\n");
  ZygoteDomain domain = restored();
  Zygote zygote = first_zygote(domain);
  EXPECT_EQ(
      output_of(zygote,
                "from memory import *\n"
                "libc.mprotect(ctypes.c_void_p(locked), 8192, 1)\n"
                "read = lambda at, size: ctypes.string_at(at, size)\n"
                "print(low == 0x10000000, read(low, 4096) == bytes([7]) * 4096,\n"
                "      read(huge + (1 << 37), 2), read(huge, 1), read(huge + (1 << 38) - 1, 1),\n"
                "      read(locked, 8192) == bytes([9]) * 8192, private[:6], unwritten[:6],\n"
                "      copied[:] == b'g' * 10000)"),
      "True True b'\\x08\\x00' b'\\x00' b'\\x00' True b'ownort' b'import' True\n");
}

TEST_F(ZygoteSnapshots, ForkContainersWithoutADomain) {
  write_down("counted", "import decimal\nvalues = list(range(1000))\n");
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  for (const Init init : {Init::none, Init::reaper}) {
    if (init == Init::none && !has_cgroups()) continue;  // Then only an init ends it with its Host.
    ContainerSpec spec = command(
        "import os, sys, counted\n"
        "print(os.getpid(), sum(counted.values), sys.argv, dict(os.environ), os.getcwd(),\n"
        "      os.getuid(), sorted(os.listdir('/proc/self/fd'))[:-1],\n"
        "      'sock-restorer' in open('/proc/self/maps').read(), os.listdir('/sock') if "
        "os.path.exists('/sock') else None)\n"
        "for line in open('/proc/self/status'):\n"
        "    if line.split(':')[0] in ('CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp'):\n"
        "        print(*line.split())\nsys.exit(7)");
    spec.argv.push_back("more");
    spec.name = "forked";
    spec.init = init;
    spec.cwd = "/tmp";
    spec.env = {"ONLY=this"};
    const Outcome outcome =
        run_forked([&](const ContainerSpec& ready) { return host().fork(*use, ready); }, spec);
    EXPECT_EQ(outcome.out, std::string{init == Init::none ? "1" : "2"} +
                               " 499500 ['-c', 'more'] {'ONLY': 'this'} /tmp 65534 "
                               "['0', '1', '2'] False None\n"
                               "CapEff: 0000000000000000\n"
                               "CapBnd: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n")
        << outcome.err;
    EXPECT_EQ(outcome.status, (ExitStatus{ExitStatus::Kind::exited, 7}));
  }
}

TEST_F(ZygoteSnapshots, ForkedWithoutADomainDifferInWhatShouldBeRandom) {
  write_down("unlucky", unlucky);
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  expect_all_differ(many_siblings(), [&] {
    const Outcome outcome = run_forked(
        [&](const ContainerSpec& spec) { return host().fork(*use, spec); }, created(print_random));
    EXPECT_TRUE(outcome.status.ok()) << outcome.err;
    return outcome.out;
  });
}

TEST_F(ZygoteSnapshots, NativeOnesComeBackToo) {
  ZygoteDomainSpec spec = domain_spec("native");
  spec.runtime = Runtime::native;
  {
    ZygoteDomain domain = open_domain(spec);
    Zygote zygote = first_zygote(domain);
    written(zygote);
  }
  ZygoteDomain domain = restored();
  Zygote zygote = first_zygote(domain);
  const auto refused = zygote.grow({.modules = {"/missing.so"}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().stage, Stage::import_modules);
}

}  // namespace
}  // namespace sock::test
