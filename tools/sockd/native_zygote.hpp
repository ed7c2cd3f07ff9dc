#pragma once

// The zygote of one version of a native function: it has loaded the function's object, and is
// forked for each instance. What dies is started again; instances keep alive what they came from.

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
  Result<Forked> fork(const sock::ContainerSpec& spec);

 private:
  NativeZygote(sock::Host& host, NativeZygoteSpec spec) : host_{&host}, spec_{std::move(spec)} {}
  /// The living one, or a new one in its place.
  Result<std::shared_ptr<Home>> home();

  sock::Host* host_;
  NativeZygoteSpec spec_;
  std::mutex mutex_ = {};  ///< Guards what follows.
  std::shared_ptr<Home> home_ = {};
  unsigned opened_ = 0;
};

}  // namespace sockd
