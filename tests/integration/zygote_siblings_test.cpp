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

// The second of a pair of normal numbers is kept until it is asked for: it would be all siblings'.
TEST_F(ZygoteSiblings, ShareNoStateOfNumpysGlobalGenerator) {
  write_module("draws", "import numpy.random\nfirst = numpy.random.standard_normal()\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "draws");
  const std::string draw =
      "import numpy.random as r\nprint(r.standard_normal(), r.random(), r.randint(1 << 60))";
  expect_all_differ(6, [&] { return output_of(child, draw); });
  const std::string state =
      "import numpy.random as r\nkey = r.get_state()[1]\n"
      "print(len({*key.tolist()}) > 600, key.dtype, len(key))";
  EXPECT_EQ(output_of(child, state), "True uint32 624\n");
  expect_all_differ(6,
                    [&] { return output_of(child, "import numpy.random as r\nprint(r.randn())"); });
}

// Another one in its place has no such state: it is the package's, as any that it makes.
TEST_F(ZygoteSiblings, MayHaveAnotherGlobalGeneratorOfNumpys) {
  write_module("replaces",
               "import numpy.random\n"
               "numpy.random.set_bit_generator(numpy.random.PCG64(1))\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Zygote child = grow(zygote, "replaces");
  EXPECT_EQ(output_of(child,
                      "import numpy.random as r\n"
                      "print(r.get_state(legacy=False)['bit_generator'])"),
            "PCG64\n");
}

// A fork is as long as the list of pages that it touches: what OpenSSL does at its first use is
// done in the zygote, once.
TEST_F(ZygoteSiblings, DoNotStartOpensslEachForItself) {
  ZygoteDomain domain = open_domain();
  Zygote bare = first_zygote(domain);
  auto with_ssl = bare.grow({.modules = {"_ssl"}});
  ASSERT_TRUE(with_ssl) << with_ssl.error().message();
  const std::string count =
      "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)";
  const int without = std::stoi(output_of(bare, count));
  const int with = std::stoi(output_of(*with_ssl, count));
  EXPECT_LT(with, without + 400);  // It was 770.
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
