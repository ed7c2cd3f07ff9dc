// Zygotes written down and restored: what comes back, as often as it is wanted, and what is
// refused.

#include <filesystem>
#include <fstream>
#include <set>

#include <poll.h>

#include "sock/checkpoint.hpp"

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ZygoteSnapshots : public ZygoteTest {
 protected:
  void SetUp() override {
    ZygoteTest::SetUp();
    auto store = SnapshotStore::open({.directory = scratch() + "/snapshots"});
    ASSERT_TRUE(store.has_value()) << store.error().message();
    store_.emplace(std::move(*store));
  }

  Snapshot written(Zygote& zygote, const std::string& name = "kept") {
    auto snapshot = zygote.checkpoint(*store_, {.name = name});
    if (!snapshot.has_value()) throw std::runtime_error{snapshot.error().message()};
    return std::move(*snapshot);
  }
  Result<ZygoteDomain> try_restore(const std::string& name = "kept",
                                   const std::string& domain = "restored") {
    auto use = store_->use(name);
    if (!use.has_value()) return std::unexpected(use.error());
    return host().open_domain(*use, {.name = domain});
  }
  ZygoteDomain restored(const std::string& name = "kept", const std::string& domain = "restored") {
    auto opened = try_restore(name, domain);
    if (!opened.has_value()) throw std::runtime_error{opened.error().message()};
    return std::move(*opened);
  }
  /// A snapshot of a zygote that has imported `module`; its domain is gone afterwards.
  void write_down(const std::string& module, const std::string& code) {
    write_module(module, code);
    ZygoteDomain domain = open_domain();
    Zygote first = first_zygote(domain);
    Zygote zygote = grow(first, module);
    written(zygote);
  }

  /// As command(), for what is forked without a domain.
  ContainerSpec created(const std::string& code) {
    ContainerSpec spec = command(code);
    if (!has_cgroups()) spec.init = Init::reaper;
    return spec;
  }

  std::optional<SnapshotStore> store_;
};

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

TEST_F(ZygoteSnapshots, ForkContainersThatDifferInWhatShouldBeRandom) {
  write_down("unlucky", "import random, uuid, secrets, tempfile\nrandom.seed(7)\n");
  std::vector<ZygoteDomain> domains;
  std::vector<Zygote> zygotes;
  for (const char* name : {"a", "b"}) {
    domains.push_back(restored("kept", name));
    zygotes.push_back(first_zygote(domains.back()));
  }
  int turn = 0;
  expect_all_differ(6, [&] {
    return output_of(zygotes[static_cast<std::size_t>(turn++ % 2)],
                     "import random, uuid, secrets, tempfile\n"
                     "print(random.random(), uuid.uuid4(), secrets.token_hex(8),\n"
                     "      next(tempfile._get_candidate_names()))");
  });
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

TEST_F(ZygoteSnapshots, AreRefusedWhenAFunctionBeforeFails) {
  write_module("unwilling",
               "from snapshot_restore_py import register_before_snapshot\n"
               "@register_before_snapshot\ndef before(): raise ValueError('not now')\n");
  ZygoteDomain domain = open_domain();
  Zygote first = first_zygote(domain);
  Zygote zygote = grow(first, "unwilling");
  const auto refused = zygote.checkpoint(*store_, {.name = "kept"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "ValueError: not now");
  EXPECT_TRUE(store_->list()->empty());
  EXPECT_EQ(output_of(zygote, "print('as before')"), "as before\n");
}

TEST_F(ZygoteSnapshots, AreNotRestoredWhenAFunctionAfterFails) {
  write_down("forgetful",
             "from snapshot_restore_py import register_after_restore\n"
             "@register_after_restore\ndef after(): raise ValueError('gone')\n");
  const auto refused = try_restore();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "ValueError: gone");
  EXPECT_EQ(refused.error().stage, Stage::restore);
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

TEST_F(ZygoteSnapshots, AreRefusedWhenAFileHasChangedSince) {
  const std::string data = modules() + "/data";
  fs::create_directories(modules());
  std::ofstream{data} << "before";
  write_down("mapped",
             "import mmap\nfile = open('/modules/data', 'rb')\n"
             "mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)\n");
  { ZygoteDomain domain = restored(); }
  std::ofstream{data} << "after!";
  fs::last_write_time(data, fs::last_write_time(data) + 1s);
  const auto refused = try_restore();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().stage, Stage::restore);
  EXPECT_EQ(refused.error().subject, "changed since the snapshot: /modules/data");
}

TEST_F(ZygoteSnapshots, AreRefusedWhenAFileIsMissing) {
  const std::string data = modules() + "/data";
  fs::create_directories(modules());
  std::ofstream{data} << "before";
  write_down("mapped",
             "import mmap\nfile = open('/modules/data', 'rb')\n"
             "mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)\n");
  fs::remove(data);
  const auto refused = try_restore();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().subject, "/modules/data");
  EXPECT_EQ(refused.error().sys_errno, ENOENT);
}

TEST_F(ZygoteSnapshots, DamagedAreRefusedBeforeAnythingStarts) {
  write_down("plain", "");
  const std::string images = scratch() + "/snapshots/snapshots/kept/images";
  for (const char* name : {"plan", "pages"}) {
    const std::string whole = content(fs::path{images} / name);
    std::string damaged = whole;
    damaged[damaged.size() / 2] ^= 1;
    std::ofstream{fs::path{images} / name, std::ios::binary} << damaged;
    const auto refused = try_restore();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::corrupt);
    EXPECT_NE(refused.error().hint.find(name), std::string::npos) << refused.error().message();
    std::ofstream{fs::path{images} / name, std::ios::binary} << whole;
  }
  restored();
}

TEST_F(ZygoteSnapshots, AreNoContainersAndTheOtherWayRound) {
  write_down("plain", "");
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  const auto refused = host().restore(*use, {.name = "box"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_spec);
}

TEST_F(ZygoteSnapshots, HaveNamesOfTheirOwn) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  written(zygote);
  const auto again = zygote.checkpoint(*store_, {.name = "kept"});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::exists);
  const auto strange = zygote.checkpoint(*store_, {.name = "../kept"});
  ASSERT_FALSE(strange.has_value());
  EXPECT_EQ(strange.error().code, Errc::invalid_spec);
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
  write_down("unlucky",
             "import random, uuid, secrets, tempfile, ssl\nrandom.seed(7)\nssl.RAND_bytes(8)\n");
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  expect_all_differ(6, [&] {
    return run_forked(
               [&](const ContainerSpec& spec) { return host().fork(*use, spec); },
               created("import random, uuid, secrets, tempfile, ssl\n"
                       "print(random.random(), uuid.uuid4(), secrets.token_hex(8),\n"
                       "      next(tempfile._get_candidate_names()), ssl.RAND_bytes(8).hex())"))
        .out;
  });
}

TEST_F(ZygoteSnapshots, ThatCannotBeForkedLeaveNothing) {
  write_down("forgetful",
             "from snapshot_restore_py import register_after_restore\n"
             "@register_after_restore\ndef after(): raise ValueError('gone')\n");
  auto use = store_->use("kept");
  ASSERT_TRUE(use.has_value());
  const auto refused = [&](ContainerSpec spec) {
    auto container = host().fork(*use, spec);
    return container.has_value() ? Error{} : container.error();
  };
  EXPECT_EQ(refused(created("")).subject, "ValueError: gone");
  ContainerSpec elsewhere = created("");
  elsewhere.rootfs = {.base = scratch() + "/empty"};
  fs::create_directories(scratch() + "/empty");
  EXPECT_EQ(refused(elsewhere).sys_errno, ENOENT);
  ContainerSpec kept = created("");
  kept.checkpointable = true;
  EXPECT_EQ(refused(kept).code, Errc::invalid_spec);
  if (!has_cgroups()) return;
  ContainerSpec killed = created("");
  killed.resources.memory_max = 1U << 20U;
  EXPECT_NE(refused(killed).code, Errc{});
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
