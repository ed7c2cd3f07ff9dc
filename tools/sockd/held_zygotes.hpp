#pragma once

// The zygotes that sockctl's commands make and fork from, held by the daemon: with it, no process
// of sockctl's own is started for them.

#include <list>
#include <memory>
#include <string>
#include <thread>

#include "sock/host.hpp"

#include "try.hpp"
#include "zygote_host.hpp"

namespace sockd {

class HeldZygotes {
 public:
  /// Of sockctl's state directory. `host` outlives it. On failure: Errc::exists when another
  /// process holds those of that directory.
  static sock::Result<std::unique_ptr<HeldZygotes>> open(sock::Host& host,
                                                         const std::string& directory);
  HeldZygotes(const HeldZygotes&) = delete;
  HeldZygotes& operator=(const HeldZygotes&) = delete;
  /// Ends them, and what was forked from them.
  ~HeldZygotes();

 private:
  HeldZygotes(sock::Host& host, sock::UniqueFd lock, sock::UniqueFd end) noexcept
      : lock_{std::move(lock)}, end_{std::move(end)}, zygotes_{host} {}

  // Destroyed from the bottom up: whoever waits for his connection's end knows that nothing is
  // left.
  sock::UniqueFd lock_;
  std::list<sock::UniqueFd> last_ = {};
  sock::UniqueFd end_;  ///< Closed, it tells the thread.
  sockctl::ZygoteHost zygotes_;
  std::thread thread_ = {};
};

}  // namespace sockd
