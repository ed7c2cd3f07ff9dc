// What containers of one zygote have in common and what they do not, as docs/security.md says it.

#include <set>

#include <sys/personality.h>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

using ZygoteSiblings = ZygoteTest;

/// What each of several forks says, without repetitions.
std::set<std::string> answers(int forks, const std::function<std::string()>& ask) {
  std::set<std::string> seen;
  for (int i = 0; i < forks; ++i) seen.insert(ask());
  return seen;
}

TEST_F(ZygoteSiblings, ShareGeneratorsThatAreNotRegistered) {
  write_module("generators", R"(
import os, random
import numpy.random
shared = random.Random(1), numpy.random.default_rng(1)
renewed = [random.Random(1), numpy.random.default_rng(1)]
def renew():
    renewed[0].seed()
    renewed[1] = numpy.random.default_rng()
os.register_at_fork(after_in_child=renew)
)");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "generators");
  const auto drawn_from = [&](const std::string& which) {
    return output_of(child, "from generators import " + which + " as both\n" +
                                "print(both[0].random(), both[1].random())");
  };
  EXPECT_EQ(answers(6, [&] { return drawn_from("shared"); }).size(), 1U);
  expect_all_differ(6, [&] { return drawn_from("renewed"); });
}

TEST_F(ZygoteSiblings, ShareLayoutAndHashSeedWhichNoOtherDomainHas) {
  // The thread sanitizer has all start with a layout that is not random.
  const bool is_random = (::personality(0xffffffff) & ADDR_NO_RANDOMIZE) == 0;
  const std::string look =
      "libc = next(line for line in open('/proc/self/maps') if 'libc.so' in line)\n"
      "print(hash('tenant'), libc.split('-')[0]" +
      std::string{is_random ? "" : "[:0]"} + ")";
  ZygoteDomain domain = open_domain();
  ZygoteDomain other = open_domain("other");
  Zygote zygote = first_zygote(domain);
  Zygote stranger = first_zygote(other);
  EXPECT_EQ(answers(4, [&] { return output_of(zygote, look); }).size(), 1U);
  std::vector<Zygote*> both{&zygote, &stranger};
  expect_all_differ(2, [&, turn = 0U]() mutable { return output_of(*both[turn++], look); });
}

// Not even some that could be made so: the kernel says of each mapping whether it may ("mw").
TEST_F(ZygoteSiblings, ShareNoMemoryThatCanBeWritten) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  auto usual = zygote.grow({.modules = {"json", "logging", "multiprocessing", "ssl"}});
  ASSERT_TRUE(usual) << usual.error().message();
  EXPECT_EQ(output_of(*usual, R"(
import mmap
def shared_and_writable():
    found = []
    with open('/proc/self/smaps') as areas:
        for line in areas.read().splitlines():
            words = line.split()
            if not words[0].endswith(':'):
                mode, path = words[1], words[5:]
            elif words[0] == 'VmFlags:' and mode.endswith('s') and 'mw' in words:
                found.append((mode, *path))
    return found
print(shared_and_writable())
own = mmap.mmap(-1, 100)
print(shared_and_writable())
)"),
            "[]\n[('rw-s', '/dev/zero', '(deleted)')]\n");
}

}  // namespace
}  // namespace sock::test
