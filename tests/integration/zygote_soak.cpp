// Many forks from several threads, with and without spares: nothing is left (processes, cgroups,
// mounts, descriptors, memory), and no two draw the same random bits. SOCK_TEST_FULL=1 makes it
// 10,000.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

std::size_t count_entries(const char* directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{directory}, fs::directory_iterator{}));
}

/// The Host keeps its directory in each hierarchy open: how many groups there are in them.
std::size_t count_groups() {
  std::size_t count = 0;
  for (const auto& file : fs::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    const fs::path path = fs::read_symlink(file.path(), gone);
    if (!path.string().starts_with("/sys/fs/cgroup/") ||
        !path.filename().string().starts_with("sock-"))
      continue;
    count += static_cast<std::size_t>(std::ranges::count_if(
        fs::directory_iterator{path}, [](const auto& entry) { return entry.is_directory(); }));
  }
  return count;
}

struct Census {
  std::size_t fds;
  std::size_t mounts;
  std::size_t groups;
  std::size_t resident_pages;
  std::uint64_t domain_pids;
  std::uint64_t domain_memory;
};

class ZygoteSoak : public ZygoteTest {
 protected:
  static constexpr int threads = 4;

  Census take_census(ZygoteDomain& domain) {
    std::istringstream statm{content("/proc/self/statm")};
    std::size_t size = 0;
    std::size_t resident = 0;
    statm >> size >> resident;
    const std::string mounts = content("/proc/self/mountinfo");
    const auto stats = domain.container().stats();
    return {.fds = count_entries("/proc/self/fd"),
            .mounts = static_cast<std::size_t>(std::count(mounts.begin(), mounts.end(), '\n')),
            .groups = count_groups(),
            .resident_pages = resident,
            .domain_pids = stats ? stats->pids_current.value_or(0) : 0,
            .domain_memory = stats ? stats->memory_current.value_or(0) : 0};
  }
  void fork_many(Zygote& zygote, int thread, int count) {
    for (int i = 0; i < count; ++i) {
      ContainerSpec spec = command("raise SystemExit(7)");
      spec.name = "soak-" + std::to_string(thread);
      auto container = zygote.fork(spec);
      const bool good = container && container->wait() && container->wait()->value == 7;
      if (!good && failures_++ == 0 && !container) ADD_FAILURE() << container.error().message();
    }
  }
  /// Each line of what a fork prints is a source and what it drew from there.
  void draw_many(Zygote& zygote, int thread, int count) {
    for (int i = 0; i < count; ++i) {
      std::istringstream lines{output_of(zygote, R"(
import random, ssl, sys
print('random', f'{random.getrandbits(128):032x}')
print('ssl', ssl.RAND_bytes(16).hex())
if 'numpy.random' in sys.modules:
    print('numpy', sys.modules['numpy.random'].bytes(16).hex())
)",
                                         "soak-" + std::to_string(thread))};
      const std::scoped_lock lock{mutex_};
      for (std::string source, bits; lines >> source >> bits;) drawn_[source].insert(bits);
    }
  }
  /// The second half with spares. `some` is given the thread's number and how many.
  void fork_from_threads(Zygote& zygote, int each, const std::function<void(int, int)>& some) {
    for (const std::size_t spares : {0, 4}) {
      ASSERT_TRUE(zygote.keep_spares(spares));
      std::vector<std::jthread> forkers;
      for (int thread = 0; thread < threads; ++thread)
        forkers.emplace_back([&, thread] { some(thread, each / 2); });
    }
    ASSERT_TRUE(zygote.keep_spares(0));
    // It answers in order: behind it, whatever was asked for earlier is done.
    auto last = zygote.fork(command("pass"));
    ASSERT_TRUE(last) << last.error().message();
    EXPECT_TRUE(last->wait());
  }
  /// Spares end by themselves when nobody wants them any more; those that were asked for and not
  /// forked yet come and go one by one. So: nobody for a while.
  static void wait_until_settled(ZygoteDomain& domain, std::uint64_t pids) {
    const auto deadline = in(std::chrono::seconds{10});
    constexpr auto a_while = std::chrono::milliseconds{500};
    for (auto calm_until = in(a_while);
         std::chrono::steady_clock::now() < std::min(calm_until, deadline);
         std::this_thread::yield())
      if (domain.container().stats()->pids_current.value_or(0) > pids) calm_until = in(a_while);
  }
  std::atomic<int> failures_{0};
  std::mutex mutex_;
  std::map<std::string, std::set<std::string>> drawn_;  ///< Guarded by mutex_.
};

/// Of each thread; even.
int forks_of_each() {
  return std::getenv("SOCK_TEST_FULL") != nullptr ? 2500 : 126;
}

TEST_F(ZygoteSoak, LeavesNothingAfterManyForksFromFourThreads) {
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const auto many = [&](int thread, int count) { fork_many(zygote, thread, count); };
  fork_from_threads(zygote, 10, many);
  const std::uint64_t idle = 2;  // The domain's init and the zygote.
  wait_until_settled(domain, idle);
  const Census before = take_census(domain);
  const auto begin = std::chrono::steady_clock::now();
  fork_from_threads(zygote, forks_of_each(), many);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  wait_until_settled(domain, idle);
  const Census after = take_census(domain);
  EXPECT_EQ(failures_, 0);
  EXPECT_EQ(after.fds, before.fds);
  EXPECT_EQ(after.mounts, before.mounts);
  EXPECT_EQ(after.groups, before.groups);
  EXPECT_EQ(after.domain_pids, before.domain_pids);
  constexpr std::size_t caches = 512;  // 2 MiB: allocator caches of the threads.
  EXPECT_LE(after.resident_pages, before.resident_pages + caches);
  EXPECT_LE(after.domain_memory, before.domain_memory + (4U << 20U));
  std::cout << threads * forks_of_each() << " forks in " << took.count() << " s; descriptors "
            << after.fds << ", groups " << after.groups << ", processes in the domain "
            << after.domain_pids << ", resident " << before.resident_pages * 4 << " -> "
            << after.resident_pages * 4 << " KiB, domain " << before.domain_memory / 1024 << " -> "
            << after.domain_memory / 1024 << " KiB\n";
}

TEST_F(ZygoteSoak, DrawsNoRandomBitsTwiceInManyForks) {
  write_module("generators", R"(
import random, ssl
random.getrandbits(128), ssl.RAND_bytes(16)
try:
    import numpy.random
    numpy.random.bytes(16)
except ImportError:
    pass
)");
  ZygoteDomain domain = open_domain();
  Zygote root = first_zygote(domain);
  Zygote zygote = grow(root, "generators");
  fork_from_threads(zygote, forks_of_each(),
                    [&](int thread, int count) { draw_many(zygote, thread, count); });
  EXPECT_TRUE(drawn_.contains("random") && drawn_.contains("ssl"));
  const auto forks = static_cast<std::size_t>(threads * forks_of_each());
  for (const auto& [source, bits] : drawn_) EXPECT_EQ(bits.size(), forks) << source;
}

}  // namespace
}  // namespace sock::test
