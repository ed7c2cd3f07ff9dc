// Memory that a restore maps from the snapshot instead of copying it.

#include <algorithm>
#include <map>
#include <sstream>

#include <signal.h>
#include <sys/stat.h>

#include "checkpoint_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using Memory = CheckpointOptions::Memory;

// Holds something in every kind of memory, and changes some of it at each line.
constexpr const char* holder = R"py(
import array, hashlib, sys
numbers = array.array('q', range(1_000_000)); text = bytearray(b'x' * (6 << 20)); rounds = 0
print('ready', flush=True)
for line in sys.stdin:
    if line == 'change\n':
        rounds += 1
        for at in range(rounds, len(text), 1 << 20): text[at] = rounds % 256
        numbers[rounds] = -rounds
        big = bytearray(3 << 20); del big
        assert bytes(5 << 20) == bytearray(5 << 20)
    print(rounds, sum(numbers), hashlib.sha256(text).hexdigest()[:16], flush=True)
)py";

class MappedMemory : public Checkpoint {
 protected:
  ContainerSpec holder_spec(const std::string& name) {
    ContainerSpec spec = talker_spec(name);
    spec.argv = {"python3", "-c", holder};
    spec.init = Init::none;
    return spec;
  }
  fs::path images(const std::string& snapshot) const {
    return fs::path{scratch()} / "snapshots/snapshots" / snapshot / "images";
  }
};

std::uint64_t anonymous_kib(pid_t pid) {
  std::istringstream text{read_text("/proc/" + std::to_string(pid) + "/smaps_rollup")};
  std::uint64_t kib = 0;
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("Anonymous:")) kib = std::stoul(line.substr(line.find(':') + 1));
  return kib;
}

TEST_F(MappedMemory, IsSharedUntilItIsWritten) {
  Talker original = start(holder_spec("original"));
  original.ask("change");
  const std::string state = original.ask("tell");
  const Snapshot written = checkpoint(original.container, {.name = "snap"});
  EXPECT_TRUE(written.copied.empty()) << written.copied.front();
  EXPECT_GT(written.mapped_bytes, 8U << 20U);
  const auto before = anonymous_kib(original.container.pid());
  Talker first = restore("snap", "first");
  Talker second = restore("snap", "second");
  EXPECT_LT(anonymous_kib(first.container.pid()) * 4, before);
  EXPECT_EQ(first.ask("tell"), state);
  const std::string changed = first.ask("change");
  EXPECT_NE(changed, state);
  EXPECT_EQ(second.ask("tell"), state);
  EXPECT_EQ(second.ask("change"), changed);
  EXPECT_EQ(original.ask("tell"), state);
  EXPECT_TRUE(store().verify("snap")->ok());
}

TEST_F(MappedMemory, IsCopiedWhereThatWasAskedFor) {
  Talker original = start(holder_spec("original"));
  const std::string state = original.ask("change");
  const Snapshot written =
      checkpoint(original.container, {.name = "snap", .memory = Memory::copied});
  EXPECT_EQ(written.mapped_bytes, 0);
  ASSERT_EQ(written.copied.size(), 1);
  EXPECT_TRUE(written.copied[0].ends_with(": as it was asked for")) << written.copied[0];
  EXPECT_FALSE(fs::exists(images("snap") / "memory-0"));
  EXPECT_EQ(restore("snap", "restored").ask("tell"), state);
}

/// What a process has mapped, neighbours of the same protection together; without the kernel's own.
std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> areas_of(pid_t pid) {
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> areas;
  std::istringstream text{read_text("/proc/" + std::to_string(pid) + "/maps")};
  for (std::string line; std::getline(text, line);) {
    if (line.contains("[v")) continue;  // vdso, vvar, vsyscall
    std::istringstream words{line};
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::string protection;
    words >> std::hex >> begin >> dash >> end >> protection;
    if (!areas.empty() && areas.rbegin()->second == std::pair{begin, protection})
      areas.rbegin()->second.first = end;
    else
      areas[begin] = {end, protection};
  }
  return areas;
}

std::string memory_of(pid_t pid, std::uint64_t begin, std::uint64_t end) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/mem", std::ios::binary};
  std::string bytes(end - begin, '\0');
  file.seekg(static_cast<std::streamoff>(begin));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

// CRIU's own way is the reference for ours.
TEST_F(MappedMemory, IsTheSameAsIfItWereCopied) {
  Talker original = start(holder_spec("original"));
  original.ask("change");
  checkpoint(original.container, {.name = "copied", .memory = Memory::copied});
  checkpoint(original.container, {.name = "mapped", .memory = Memory::mapped});
  Talker copied = restore("copied", "copied");
  Talker mapped = restore("mapped", "mapped");
  const auto areas = areas_of(copied.container.pid());
  EXPECT_EQ(areas_of(mapped.container.pid()), areas);
  std::uint64_t different = 0;
  std::uint64_t compared = 0;
  constexpr std::uint64_t page = 4096;
  for (const auto& [begin, rest] : areas) {
    const auto& [end, protection] = rest;
    if (!protection.starts_with('r')) continue;
    const std::string one = memory_of(copied.container.pid(), begin, end);
    const std::string other = memory_of(mapped.container.pid(), begin, end);
    ASSERT_EQ(one.size(), other.size());
    for (std::size_t at = 0; at < one.size(); at += page, ++compared)
      if (one.compare(at, page, other, at, page) != 0) ++different;
  }
  EXPECT_GT(compared, 2000);
  // What the kernel writes at every return to a process (rseq), and what read() left on the stack.
  EXPECT_LE(different, 3);
}

// What has not changed since is not written again, and stays when the first snapshot goes.
TEST_F(MappedMemory, OfASnapshotOfASnapshotIsOnlyWhatHasChanged) {
  Talker original = start(holder_spec("original"));
  original.ask("change");
  checkpoint(original.container, {.name = "first"});
  ASSERT_TRUE(original.container.kill().has_value());
  Talker middle = restore("first", "middle");
  const std::string state = middle.ask("change");
  checkpoint(middle.container, {.name = "second"});
  const auto of = [&](const std::string& snapshot, const char* file) {
    struct stat found {};
    EXPECT_EQ(::stat((images(snapshot) / file).c_str(), &found), 0) << snapshot << " " << file;
    return found;
  };
  const auto first = of("first", "memory-0");
  const auto changed = of("second", "memory-0");
  EXPECT_EQ(of("second", "memory-1").st_ino, first.st_ino);
  EXPECT_LT(changed.st_blocks * 2, first.st_blocks);
  // Also when nothing has its file's name any more.
  ASSERT_TRUE(store().remove("first").has_value());
  Talker other = restore("second", "other");
  EXPECT_EQ(other.ask("tell"), state);
  ASSERT_TRUE(store().remove("second").has_value());
  const std::string last = other.ask("change");
  checkpoint(other.container, {.name = "third"});
  EXPECT_EQ(restore("third", "last").ask("tell"), last);
  EXPECT_TRUE(store().verify("third")->ok());
}

TEST_F(MappedMemory, EndsNoChainOfSnapshots) {
  Talker talker = start(holder_spec("holder-0"));
  std::string state = talker.ask("change");
  constexpr int generations = 10;
  for (int number = 1; number <= generations; ++number) {
    const std::string name = "snap-" + std::to_string(number);
    // Every second one keeps all areas as they are.
    const Memory memory = number % 2 == 0 ? Memory::copied : Memory::mapped;
    checkpoint(talker.container, {.name = name, .memory = memory});
    ASSERT_TRUE(talker.container.kill().has_value());
    talker = restore(name, "holder-" + std::to_string(number));
    ASSERT_EQ(talker.ask("tell"), state) << number;
    state = talker.ask("change");
  }
  std::size_t files = 0;
  for (const auto& file : fs::directory_iterator{images("snap-10")})
    if (file.path().filename().string().starts_with("memory-")) ++files;
  EXPECT_LE(files, 8);
}

// Parent and children have the same areas at the same places, each with content of its own.
constexpr const char* family = R"py(
import os, sys
pipes = []
mine = bytearray(b'p' * (2 << 20)); small = ['p']
for name in 'ab':
    ask, asked = os.pipe(), os.pipe()
    if os.fork() == 0:
        mine[:] = name.encode() * len(mine); small[0] = name
        while word := os.read(ask[0], 1):
            if word == b'!': mine[:] = mine[:].upper(); small[0] = small[0].upper()
            os.write(asked[1], small[0].encode() + bytes(sorted(set(mine))))
        os._exit(0)
    pipes.append((ask[1], asked[0]))
print('ready', flush=True)
for line in sys.stdin:
    words = [small[0] + bytes(sorted(set(mine))).decode()]
    for to, from_ in pipes:
        os.write(to, b'!' if line == 'change\n' else b'?')
        words.append(os.read(from_, 99).decode())
    print(*words, flush=True)
)py";

TEST_F(MappedMemory, OfAFamilyIsNotMixedUp) {
  ContainerSpec spec = talker_spec("original");
  spec.argv = {"python3", "-c", family};
  Talker talker = start(spec);
  EXPECT_EQ(talker.ask("tell"), "pp aa bb\n");
  checkpoint(talker.container, {.name = "first"});
  ASSERT_TRUE(talker.container.kill().has_value());
  talker = restore("first", "second");
  EXPECT_EQ(talker.ask("tell"), "pp aa bb\n");
  // What was mapped stays mapped, with CRIU's own way for the rest and with ours.
  for (const Memory memory : {Memory::copied, Memory::mapped}) {
    const std::string name = memory == Memory::copied ? "copied" : "mapped";
    checkpoint(talker.container, {.name = name, .memory = memory});
    EXPECT_EQ(restore(name, "of-" + name).ask("tell"), "pp aa bb\n") << name;
  }
  EXPECT_EQ(talker.ask("change"), "pp AA BB\n");
  checkpoint(talker.container, {.name = "changed"});
  EXPECT_EQ(restore("changed", "third").ask("tell"), "pp AA BB\n");
}

// What realloc() would grow by mremap(): beyond the end of the file, or into what is not its own.
TEST_F(MappedMemory, GrowsAndShrinksAsAnyOther) {
  ContainerSpec spec = holder_spec("original");
  spec.argv[2] = R"py(
import hashlib, sys
blocks = [bytearray(bytes([65 + n]) * (300_000 + n * 100_000)) for n in range(12)]
many = [0] * 100_000; last = bytearray(b'z' * (6 << 20))
print('ready', flush=True)
for line in sys.stdin:
    if line == 'shrink\n':
        for block in blocks: del block[200_000:]
        del last[1 << 20:]; del many[50_000:]
    if line == 'grow\n':
        for block in blocks: block.extend(b'g' * (1 << 20))
        last.extend(b'g' * (40 << 20)); many.extend([1] * 1_000_000)
    print(len(last), sum(many), len(many), hashlib.sha256(b''.join(blocks) + last).hexdigest()[:16], flush=True)
)py";
  Talker original = start(spec);
  checkpoint(original.container, {.name = "snap"});
  Talker grown = restore("snap", "grown");
  Talker shrunk = restore("snap", "shrunk");
  for (const char* const line : {"tell", "grow"}) EXPECT_EQ(grown.ask(line), original.ask(line));
  Talker reference = restore("snap", "reference");
  checkpoint(reference.container, {.name = "again"});
  Talker twice = restore("again", "twice");
  const std::string small = shrunk.ask("shrink");
  EXPECT_EQ(twice.ask("shrink"), small);
  EXPECT_EQ(twice.ask("grow"), shrunk.ask("grow"));
}

// All of it, with a tree of processes and threads; and its parts fail as they would.
TEST_F(MappedMemory, IsThatOfTreesAndThreadsToo) {
  Talker original = start(talker_spec("original"));
  const Snapshot written =
      checkpoint(original.container, {.name = "snap", .memory = Memory::automatic});
  EXPECT_TRUE(written.copied.empty()) << written.copied.front();
  Talker restored = restore("snap", "restored");
  EXPECT_EQ(restored.ask("what"), all_of_it);
  fs::resize_file(images("snap") / "memory-0", 4096);
  const auto used = store().use("snap");
  ASSERT_FALSE(used.has_value());
  EXPECT_EQ(used.error().code, Errc::corrupt);
  EXPECT_TRUE(used.error().message().contains("memory-0")) << used.error().message();
}

}  // namespace
}  // namespace sock::test
