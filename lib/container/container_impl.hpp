#pragma once

// The state behind Container and Process.

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sock/container.hpp"

#include "base/try.hpp"
#include "container/launch.hpp"
#include "container/status.hpp"
#include "container/workshop.hpp"

namespace sock {

namespace container {

/// A further process of a container, shared by its handle and the container: whoever comes first
/// reaps it. The container has to, since its init cannot end before all its processes are reaped.
class Member {
 public:
  // Set before anybody else knows of it, and never changed.
  UniqueFd pidfd = {};
  pid_t pid = -1;
  UniqueFd terminal = {};

  /// Empty when it still runs at the deadline.
  Result<std::optional<ExitStatus>> wait_until(std::chrono::steady_clock::time_point deadline);

 private:
  std::mutex mutex_;  // guards status_
  std::optional<ExitStatus> status_;
};

/// A list, because its entries can be allocated before there is a process that needs one.
using Members = std::list<std::shared_ptr<Member>>;

}  // namespace container

struct Container::Impl {
  using Clock = std::chrono::steady_clock;

  Impl(container::Workshop& host, const ContainerSpec& spec);  ///< Empty until start().
  ~Impl();                                                     ///< Kills and reaps.

  /// `launch` starts the first process; the name is taken before.
  using Launch = std::function<Result<container::Launched>()>;
  static Result<std::unique_ptr<Impl>> start(container::Workshop& workshop,
                                             const ContainerSpec& spec, const Launch& launch);

  /// Out of memory. One that outlives its payload outlives what that dies of.
  [[nodiscard]] bool dies_as_one() const noexcept { return spec.init != Init::keeper; }
  Result<> kill();
  Result<std::optional<ExitStatus>> wait_until(Clock::time_point deadline);
  [[nodiscard]] std::optional<ExitStatus> known_status();
  void add_member(container::Members entry) noexcept;
  /// Gives up those that have ended, so that a container that lives long keeps none of them.
  Result<> reap_members();
  /// While it is held, nothing is paused, resumed or added by exec(). On failure: it has ended, is
  /// paused, or further processes run in it.
  Result<std::unique_lock<std::mutex>> hold_for_checkpoint();

  container::Workshop& workshop;
  const std::string name;
  const ContainerSpec spec;  ///< What exec needs of it: namespaces, limits, filter.
  Resources resources;       ///< As they are now.
  container::Launched launched{};
  /// With Init::none, whoever waits enforces it.
  Clock::time_point time_limit = Clock::time_point::max();
  const pid_t owner = ::getpid();

 private:
  friend class Container;
  void end();  ///< As far as possible.
  Result<bool> wait_for_end(Clock::time_point deadline);
  Result<ExitStatus> collect();
  Result<std::optional<sys::WaitStatus>> status_of_first();
  container::Members members();
  void forget(const std::shared_ptr<container::Member>& member);

  bool has_name_ = false;
  std::mutex freezing_;  // guards paused_, and is held while a process is being added
  bool paused_ = false;
  std::mutex mutex_;  // guards what follows
  container::Members members_;
  std::optional<ExitStatus> status_;
  bool timed_out_ = false;
};

struct Process::Impl {
  std::shared_ptr<container::Member> member;
};

namespace container {
/// What every verb asks first: a handle that was moved from has nothing behind it.
template <class Impl>
Result<> require(const std::unique_ptr<Impl>& handle) {
  if (handle) return {};
  return base::refuse(Errc::closed, Stage::none, "handle", "it was moved from");
}

/// Starts a further process in the container. On failure nothing is left of it.
Result<std::shared_ptr<Member>> start_process(Container::Impl& container, const ExecSpec& spec);
}  // namespace container

}  // namespace sock
