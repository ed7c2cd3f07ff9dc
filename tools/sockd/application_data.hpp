#pragma once

// What the functions of one application share on this machine: objects, written once and mapped by
// whoever asks, and counters. Both have a time to live, and a quota. An object whose time is over
// counts until nobody has it mapped.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "sock/fd.hpp"

#include "data_rules.hpp"
#include "lent_memory.hpp"

namespace sockd {

/// Thread-bound.
class ApplicationData {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  explicit ApplicationData(DataQuota quota) noexcept : quota_{quota} {}

  /// Takes an object (see require_sealed) that we have by open_again() alone. On failure:
  /// Errc::exists for a name in use, Errc::exhausted beyond the quota, Errc::invalid_spec for a
  /// name of more than 256 bytes.
  sock::Result<> put(const std::string& name, sock::UniqueFd file, std::uint64_t size,
                     std::chrono::milliseconds time_to_live, Time now);
  /// To be given away by open_again(). It stays the application's. On failure: Errc::not_found.
  sock::Result<sock::FdRef> get(const std::string& name, Time now);
  /// Whether it was there. Who has it mapped keeps it.
  bool remove(const std::string& name, Time now);
  /// The value after adding; one that is not there is 0. Errors as put().
  sock::Result<std::int64_t> add(const std::string& name, std::int64_t by,
                                 std::chrono::milliseconds time_to_live, Time now);

  /// What is too old, or was removed, takes no memory any more, unless somebody still has it.
  void forget_old(Time now);

  [[nodiscard]] bool is_empty() const noexcept {
    return objects_.empty() && counters_.empty() && lent_.files() == 0;
  }
  /// Of objects, and of those that are none any more and that somebody still has.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_ + lent_.bytes(); }
  [[nodiscard]] std::size_t objects() const noexcept { return objects_.size(); }

 private:
  struct Object {
    sock::UniqueFd file;
    std::uint64_t size;
    Time end;
  };
  struct Counter {
    std::int64_t value;
    Time end;
  };
  void end_old_ones(Time now);
  void end(Object& object);
  [[nodiscard]] bool has_room(std::uint64_t size) const noexcept;
  [[nodiscard]] Time end_of(std::chrono::milliseconds time_to_live, Time now) const;

  DataQuota quota_;
  std::map<std::string, Object> objects_ = {};
  std::map<std::string, Counter> counters_ = {};
  std::uint64_t bytes_ = 0;  ///< Of `objects_`.
  LentMemory lent_ = {};     ///< What they were.
};

}  // namespace sockd
