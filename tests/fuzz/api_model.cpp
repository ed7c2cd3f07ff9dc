// The stateful fuzzer of the public API: actors in several threads call verbs in random order, and
// every answer is compared with a model of the states. At the end nothing is left.
//
// SOCK_MODEL_SEED chooses another run, SOCK_MODEL_SECONDS another length.

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include <unistd.h>

#include "api_actor.hpp"
#include "integration/zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::ptrdiff_t count_fds() {
  return std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{});
}

std::size_t count_mounts() {
  const std::string mounts = content("/proc/self/mountinfo");
  return static_cast<std::size_t>(std::ranges::count(mounts, '\n'));
}

// Zombies too: who was not reaped is still there.
std::size_t count_children() {
  std::size_t count = 0;
  for (const auto& process : fs::directory_iterator{"/proc"}) {
    if (std::isdigit(static_cast<unsigned char>(process.path().filename().string().front())) == 0)
      continue;
    const std::string stat = content(process.path() / "stat");  // Empty when it has gone meanwhile.
    const auto name_end = stat.rfind(')');                      // pid (name) state parent
    if (name_end == std::string::npos) continue;
    pid_t parent = 0;
    std::from_chars(stat.data() + name_end + 4, stat.data() + stat.size(), parent);
    count += parent == ::getpid() ? 1 : 0;
  }
  return count;
}

class ApiModel : public ZygoteTest {
 protected:
  void run_actors(World world, std::uint64_t seed, std::chrono::seconds time) {
    constexpr int threads = 4;
    std::deque<Actor> actors;  // They are not copied, and move only with care.
    for (int number = 0; number < threads; ++number)
      actors.emplace_back(world, seed * threads + static_cast<std::uint64_t>(number), number);
    const auto end = in(time);
    {
      std::vector<std::jthread> running;
      for (auto& actor : actors)
        running.emplace_back([&actor, end] {
          while (actor.disagreement().empty() && std::chrono::steady_clock::now() < end)
            actor.step();
          actor.destroy_all();
        });
    }
    std::size_t steps = 0;
    for (const auto& actor : actors) {
      EXPECT_EQ(actor.disagreement(), "") << "SOCK_MODEL_SEED=" << seed;
      steps += actor.steps();
    }
    std::cout << steps << " steps, SOCK_MODEL_SEED=" << seed << '\n';
  }
};

TEST_F(ApiModel, AgreesWithTheLibraryAndNothingIsLeft) {
  const bool full = std::getenv("SOCK_TEST_FULL") != nullptr;
  const std::uint64_t seed = number_from("SOCK_MODEL_SEED", full ? std::random_device{}() : 1);
  const std::chrono::seconds time{number_from("SOCK_MODEL_SECONDS", full ? 300 : 12)};
  const auto fds = count_fds();
  const auto mounts = count_mounts();
  const auto children = count_children();
  const std::string state = scratch() + "/model";
  {
    auto opened = Host::open(host_options(state));
    ASSERT_TRUE(opened) << opened.error().message();
    auto domain = opened->open_domain(domain_spec("model"));
    ASSERT_TRUE(domain) << domain.error().message();
    auto zygote = domain->start_zygote();
    ASSERT_TRUE(zygote) << zygote.error().message();
    run_actors({.host = *opened, .zygote = *zygote, .domain = domain_spec("model")}, seed, time);
  }
  EXPECT_EQ(count_fds(), fds);
  EXPECT_EQ(count_mounts(), mounts);
  EXPECT_EQ(count_children(), children);
  // A Host's directory stays for as long as one of its cgroups does.
  EXPECT_TRUE(fs::is_empty(state));
}

}  // namespace
}  // namespace sock::test
