// What one tenant's container was given is nowhere in the memory of the next one that is forked
// from the same zygote, nor in a snapshot of the zygote; nor what a package holds where that was
// not imported.

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include <unistd.h>

#include "zygote_snapshot_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

/// Looks through all memory of its process. It is told the complement of what it looks for, and
/// keeps the thing itself, and what it has just read, in the one place where it does not look.
constexpr const char* scanner = R"(
import ctypes, mmap, os
known = os.environ['KNOWN_TO_THE_DOMAIN']
libc = ctypes.CDLL(None)
libc.memmem.restype = ctypes.c_void_p
libc.memmem.argtypes = [ctypes.c_void_p, ctypes.c_size_t] * 2
PIECE = 1 << 20
def areas():
    with open('/proc/self/maps') as maps:
        for line in maps.read().splitlines():
            if not line.endswith(('[vvar]', '[vvar_vclock]', '[vsyscall]')):
                words = line.split()
                yield *(int(bound, 16) for bound in words[0].split('-')), words[-1]
def is_there(memory, own, begin, end, wanted):
    base = ctypes.addressof(ctypes.c_char.from_buffer(own))
    view = memoryview(own)
    while begin < end:
        size = os.preadv(memory, [view[:min(PIECE, end - begin)]], begin)
        # Of what was freed the first bytes may be overwritten: half of it will do.
        for half in (0, wanted // 2):
            if libc.memmem(base, size, base + PIECE + half, wanted // 2):
                return True
        begin += size if begin + size == end else size - wanted
    return False
def find(complement):
    own = mmap.mmap(-1, PIECE + 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for place, byte in enumerate(bytes.fromhex(complement)):
        own[PIECE + place] = byte ^ 0xff
    base = ctypes.addressof(ctypes.c_char.from_buffer(own))
    wanted = len(complement) // 2
    memory = os.open('/proc/self/mem', os.O_RDONLY)
    return [name for begin, end, name in list(areas())
            if is_there(memory, own, begin, min(end, base), wanted)
            or is_there(memory, own, max(begin, base + len(own)), end, wanted)]
)";

std::string random_token() {
  std::random_device random;
  std::string token(32, ' ');
  std::ranges::generate(token, [&] { return "0123456789abcdef"[random() % 16]; });
  return token;
}

std::string complement_of(const std::string& token) {
  std::ostringstream text;
  for (const char letter : token) text << std::hex << (~static_cast<unsigned>(letter) & 0xffU);
  return text.str();
}

class ZygoteSecrets : public ZygoteSnapshots {
 protected:
  Zygote zygote_that_knows(ZygoteDomain& domain) {
    write_module("scanner", scanner);
    Zygote root = first_zygote(domain);
    return grow(root, "scanner");
  }
  ZygoteDomainSpec domain_that_knows(const std::string& token) {
    ZygoteDomainSpec spec = domain_spec("domain");
    spec.env = {"KNOWN_TO_THE_DOMAIN=" + token};
    return spec;
  }
  /// By its arguments, its environment and its standard input.
  void give_to_a_tenant(Zygote& zygote, const std::string& token) {
    const TestPipe in_pipe = make_pipe();
    const std::string line = token + "\n";
    ASSERT_EQ(::write(in_pipe.writer.get(), line.data(), line.size()),
              static_cast<ssize_t>(line.size()));
    ContainerSpec spec = command(
        "import os, sys\nprint(input() == sys.argv[1] == os.environ['THE_SECRET_OF_A_TENANT'])");
    spec.name = "tenant";
    spec.argv.push_back(token);
    spec.env = {"THE_SECRET_OF_A_TENANT=" + token};
    spec.stdio.in = in_pipe.reader;
    EXPECT_EQ(run_forked(zygote, spec).out, "True\n");
  }
  /// Where a container that is forked now has it in its memory: a list of names, as maps has them.
  std::string found_by_the_next(Zygote& zygote, const std::string& token) {
    ContainerSpec spec = command("import scanner, sys\nprint(scanner.find(sys.argv[1]))");
    spec.name = "next";
    spec.argv.push_back(complement_of(token));
    const Outcome outcome = run_forked(zygote, spec);
    EXPECT_TRUE(outcome.status.ok()) << outcome.err;
    return outcome.out;
  }
};

TEST_F(ZygoteSecrets, AreNotInTheMemoryOfTheNextContainer) {
  const std::string known = random_token();
  ZygoteDomain domain = open_domain(domain_that_knows(known));
  Zygote zygote = zygote_that_knows(domain);
  EXPECT_NE(found_by_the_next(zygote, known), "[]\n") << "what a zygote has is found";
  for (const std::size_t spares : {0, 2}) {
    ASSERT_TRUE(zygote.keep_spares(spares));
    const std::string secret = random_token();
    give_to_a_tenant(zygote, secret);
    // Spares that were there already, and what was forked after the tenant.
    for (std::size_t i = 0; i < spares + 2; ++i)
      EXPECT_EQ(found_by_the_next(zygote, secret), "[]\n") << spares << " spares";
  }
}

TEST_F(ZygoteSecrets, OfAPackageAreOnlyWhereItWasImported) {
  const std::string held = random_token();
  write_module("package", "held = '" + held + "'\n");
  ZygoteDomain domain = open_domain(domain_that_knows(random_token()));
  Zygote zygote = zygote_that_knows(domain);
  Zygote with_package = grow(zygote, "package");
  EXPECT_NE(found_by_the_next(with_package, held), "[]\n");
  EXPECT_EQ(found_by_the_next(zygote, held), "[]\n");
}

/// Of the files below a directory, those that contain it.
std::set<std::string> files_with(const fs::path& directory, const std::string& token) {
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator{directory})
    if (entry.is_regular_file() && content(entry.path()).contains(token))
      found.insert(entry.path().filename());
  return found;
}

TEST_F(ZygoteSecrets, AreNotInASnapshotOfTheZygote) {
  const std::string known = random_token();
  const std::string secret = random_token();
  ZygoteDomain domain = open_domain(domain_that_knows(known));
  Zygote zygote = zygote_that_knows(domain);
  give_to_a_tenant(zygote, secret);
  written(zygote);
  const auto files = files_with(scratch() + "/snapshots", known);
  EXPECT_EQ(files, (std::set<std::string>{"manifest", "pages"})) << "what a zygote has is found";
  EXPECT_EQ(files_with(scratch() + "/snapshots", secret), std::set<std::string>{});
}

}  // namespace
}  // namespace sock::test
