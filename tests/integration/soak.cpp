// Many containers from several threads, and nothing left: processes, cgroups, mounts, descriptors,
// memory. SOCK_TEST_FULL=1 makes it 10,000 from 8 threads.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "host_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

std::size_t count_lines(const char* path) {
  std::ifstream file{path};
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>{file}, {}, '\n'));
}

std::size_t count_fds() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
}

std::size_t resident_pages() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident;
}

class Soak : public HostTest {
 protected:
  void create_many(int thread, int count) {
    for (int i = 0; i < count; ++i) {
      ContainerSpec spec = shell("");
      spec.name = "soak-" + std::to_string(thread);
      spec.argv = {"/bin/true"};
      spec.init = i % 2 == 0 || !has_cgroups() ? Init::reaper : Init::none;
      auto container = host().create(spec);
      const bool good = container && container->wait() && container->wait()->ok();
      if (!good && failures_++ == 0 && !container) ADD_FAILURE() << container.error().message();
    }
  }
  void create_from_threads(int threads, int each) {
    std::vector<std::jthread> creators;
    for (int thread = 0; thread < threads; ++thread)
      creators.emplace_back([this, thread, each] { create_many(thread, each); });
  }
  std::atomic<int> failures_{0};
};

TEST_F(Soak, LeavesNothingAfterManyCreatesFromEightThreads) {
  const bool full = std::getenv("SOCK_TEST_FULL") != nullptr;
  constexpr int threads = 8;
  create_from_threads(threads, 25);
  const std::size_t fds = count_fds();
  const std::size_t mounts = count_lines("/proc/self/mountinfo");
  const std::size_t pages = resident_pages();
  create_from_threads(threads, full ? 1250 : 60);
  EXPECT_EQ(failures_, 0);
  EXPECT_EQ(count_fds(), fds);
  EXPECT_EQ(count_lines("/proc/self/mountinfo"), mounts);
  EXPECT_LE(resident_pages(), pages + 512);  // 2 MiB: allocator caches of the threads.
}

}  // namespace
}  // namespace sock::test
