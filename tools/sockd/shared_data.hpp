#pragma once

// Where the objects and counters of applications are: in this daemon's memory, or in a Redis that
// several daemons share. Both answer the same calls in the same way.

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "sock/fd.hpp"

#include "data_rules.hpp"
#include "sealed_memory.hpp"

namespace sockd {

/// Thread-bound, to the loop, which none of this blocks. Beside the errors that are named here each
/// may fail because what keeps the data cannot be reached: Errc::closed, Errc::timed_out,
/// Errc::denied, Errc::corrupt, Errc::io.
class SharedData {
 public:
  template <class T = void>
  using Answer = boost::asio::awaitable<sock::Result<T>>;

  virtual ~SharedData() = default;

  /// Whether it can be reached.
  virtual Answer<> reach() = 0;
  /// On failure: Errc::exists for a name in use, Errc::exhausted beyond the quota,
  /// Errc::invalid_spec for a name that cannot be.
  virtual Answer<> put(DataName of, SealedObject object,
                       std::chrono::milliseconds time_to_live) = 0;
  /// The object in a sealed file. On failure: Errc::not_found.
  virtual Answer<sock::UniqueFd> get(DataName of) = 0;
  /// Whether it was there. Who has it mapped keeps it.
  virtual Answer<bool> remove(DataName of) = 0;
  /// The value after adding; one that is not there is 0. Errors as put().
  virtual Answer<std::int64_t> add(DataName of, std::int64_t by,
                                   std::chrono::milliseconds time_to_live) = 0;
  /// Gives back the memory of what is too old, whether anybody asks for it again or not. Now and
  /// then.
  virtual void forget_old() = 0;
};

}  // namespace sockd
