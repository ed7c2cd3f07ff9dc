#pragma once

// The zygote of one version of a native function: it has loaded the function's object, and is
// forked for each instance. What dies is started again, and what hangs is given up and started
// again after a rest, so that it does not keep everybody's threads; instances keep alive what they
// came from.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "sock/host.hpp"

#include "try.hpp"

namespace sockd {

using sock::Result;

struct NativeZygoteSpec {
  std::string name;
  sock::Rootfs rootfs;       ///< With the object.
  std::string object;        ///< Its path there.
  std::uint64_t memory_max;  ///< Bytes, of the zygote.
  std::size_t spares;
};

/// Thread-safe. All of it blocks.
class NativeZygote {
 public:
  /// On failure: why the object cannot be loaded.
  static Result<std::shared_ptr<NativeZygote>> open(sock::Host& host, NativeZygoteSpec spec);

  struct Home;  ///< A domain and the zygote in it.
  struct Forked {
    std::shared_ptr<const void> home;  ///< Must outlive the container.
    sock::Container container;
  };
  /// On failure: at once, while a rest lasts.
  Result<Forked> fork(const sock::ContainerSpec& spec);

 private:
  using Clock = std::chrono::steady_clock;
  using HomePtr = std::shared_ptr<Home>;
  NativeZygote(sock::Host& host, NativeZygoteSpec spec) : host_{&host}, spec_{std::move(spec)} {}
  /// The living one, or a new one in its place.
  Result<HomePtr> home();
  Result<HomePtr> start();
  void give_up(const HomePtr& hung);

  sock::Host* host_;
  NativeZygoteSpec spec_;
  std::mutex mutex_ = {};  ///< Guards what follows.
  HomePtr home_ = {};
  Clock::time_point rests_until_ = {};
  unsigned opened_ = 0;
};

}  // namespace sockd
