#pragma once

// A payload under the built sock-init in a pid namespace of its own, made as the launcher makes it:
// pid 1 starts with all signals blocked, starts the payload (pid 2), and then becomes sock-init.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "sock/fd.hpp"

#include "init/protocol.hpp"

namespace sock::testing {

class Contained {
 public:
  struct Options {
    std::int64_t limit_ms = 0;
    bool outlives_payload = false;
    /// In place of the right arguments after argv[0].
    std::vector<std::string> arguments = {};
  };
  /// What the payload gets.
  struct Inside {
    int ready;         ///< Writer of the pipe that wait_ready() reads.
    int standard_out;  ///< Writer of the pipe that wait_output_end() reads.
    void say_ready() const;
  };
  /// `payload` runs as pid 2, as a copy of the test, and must use nothing of gtest's.
  Contained(const std::function<int(const Inside&)>& payload, const Options& options);
  explicit Contained(const std::function<int(const Inside&)>& payload)
      : Contained(payload, Options{}) {}
  ~Contained();  ///< Kills what is left.
  Contained(const Contained&) = delete;
  Contained& operator=(const Contained&) = delete;

  /// False where a pid namespace cannot be made, with or without a user namespace.
  static bool possible();

  bool wait_ready();       ///< The payload has said so.
  bool wait_output_end();  ///< Nobody holds the payload's output any more.
  void close_life_line() { life_line_.reset(); }
  void signal(int number) const;
  [[nodiscard]] pid_t init() const { return init_; }
  [[nodiscard]] pid_t payload_from_outside() const;
  /// Waits for the end of pid 1: the exit code, or 128 and the signal.
  int wait();
  /// After wait(): what init reported, once at most.
  std::optional<init::Report> report();

 private:
  pid_t init_ = -1;
  bool reaped_ = false;
  UniqueFd pidfd_;
  UniqueFd life_line_;
  UniqueFd report_;
  UniqueFd ready_;
  UniqueFd output_;
};

}  // namespace sock::testing
