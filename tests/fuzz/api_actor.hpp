#pragma once

// One thread of the API's model: it calls verbs in an order that its seed decides, knows what each
// must answer in the state that its objects are in, and remembers what it did for whoever has to
// understand a disagreement.

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "sock/sock.hpp"

namespace sock::test {

/// What the actors share. Outlives them.
struct World {
  Host& host;
  Zygote& zygote;  ///< Nobody kills it.
  ZygoteDomainSpec domain;
};

/// Thread-bound.
class Actor {
 public:
  Actor(World world, std::uint64_t seed, int number)
      : world_{std::move(world)}, random_{seed}, prefix_{"model-" + std::to_string(number) + "-"} {}

  void step();
  void destroy_all();
  /// Empty as long as model and library agree.
  [[nodiscard]] const std::string& disagreement() const { return disagreement_; }
  [[nodiscard]] std::size_t steps() const { return steps_; }

 private:
  enum class State : std::uint8_t { running, paused, ended };
  struct Slot {
    Container container;
    State state = State::running;
    bool has_init = false;  ///< So it hears SIGTERM.
    /// How it may end, or has ended. Empty: it sleeps until something is done to it.
    std::vector<ExitStatus> ends = {};
    std::optional<Process> process = {};  ///< One that sleeps.
  };
  struct ZygoteSlot {
    Zygote zygote;
    bool alive = true;
  };

  // Containers (api_actor.cpp).
  void create();
  void create_wrongly();
  void pause();
  void resume();
  void end_politely();
  void kill();
  void look();
  void wait();
  void ask_stats();
  void update();
  void exec();
  void exec_and_wait();
  void move();
  void destroy();
  // Zygotes (api_actor_zygotes.cpp).
  void grow();
  void fork();
  void keep_spares();
  void kill_zygote();
  void destroy_zygote();
  void use_domain();

  std::size_t below(std::size_t count) { return random_() % count; }
  Slot* any_slot();
  ZygoteSlot* any_zygote();
  void check_end(Slot& slot, const Result<ExitStatus>& status);
  [[nodiscard]] std::string fresh_name() { return prefix_ + std::to_string(next_name_++); }
  void note(std::string text);
  void expect(bool holds, const std::string& what);
  template <class T>
  void expect_success(const Result<T>& result) {
    expect(result.has_value(), result ? "" : "failed: " + result.error().message());
  }
  template <class T>
  void expect_code(const Result<T>& result, Errc code) {
    expect(!result && result.error().code == code,
           result ? "succeeded" : "failed otherwise: " + result.error().message());
  }

  World world_;
  std::mt19937_64 random_;
  std::string prefix_;
  std::vector<Slot> slots_ = {};
  std::vector<ZygoteSlot> zygotes_ = {};
  std::deque<std::string> history_ = {};
  std::string disagreement_ = {};
  std::size_t steps_ = 0;
  std::size_t next_name_ = 0;
};

}  // namespace sock::test
