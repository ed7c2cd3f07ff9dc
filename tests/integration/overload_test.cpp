// Many more containers than there is room for: each create says so at once, and when there is room
// again, everything works as before.

#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "few_descriptors.hpp"
#include "host_fixture.hpp"

namespace sock::test {
namespace {

using std::chrono::steady_clock;

class Overload : public HostTest {
 protected:
  // Creates until it has been refused so often, and keeps what it got.
  void fill_up(int thread, int refusals_wanted) {
    for (int number = 0, refused = 0; refused < refusals_wanted; ++number) {
      ContainerSpec spec = shell("exec sleep 60");
      spec.name = "load-" + std::to_string(thread) + "-" + std::to_string(number);
      const auto begin = steady_clock::now();
      auto made = host().create(spec);
      const std::scoped_lock lock{mutex_};
      if (made) {
        kept_.push_back(std::move(*made));
        continue;
      }
      ++refused;
      longest_ = std::max(longest_, steady_clock::now() - begin);
      EXPECT_EQ(made.error().code, Errc::exhausted) << made.error().message();
    }
  }
  std::mutex mutex_;  // guards what follows
  std::vector<Container> kept_;
  steady_clock::duration longest_{};
};

TEST_F(Overload, IsRefusedAtOnceAndOverWhenThereIsRoomAgain) {
  EXPECT_EQ(run_shell("echo fine").out, "fine\n");
  const rlim_t before = count_fds();
  {
    const FewDescriptors few{before + 80};
    std::vector<std::jthread> creators;
    for (int thread = 0; thread < 8; ++thread)
      creators.emplace_back([this, thread] { fill_up(thread, 15); });
  }
  EXPECT_FALSE(kept_.empty());
  EXPECT_LT(kept_.size(), 80U);
  // Alone it takes 1 ms, on an emulated and busy machine it has taken 5 s.
  EXPECT_LT(longest_, std::chrono::seconds{20});
  kept_.clear();
  EXPECT_EQ(run_shell("echo fine").out, "fine\n");
  EXPECT_LE(count_fds(), before + 16);  // The pool may have become fuller by a group or two.
}

}  // namespace
}  // namespace sock::test
