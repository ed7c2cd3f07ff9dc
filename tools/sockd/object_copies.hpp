#pragma once

// What this machine has of objects that are kept elsewhere: whoever asks for one again maps the
// same memory. An application has no more of it than its quota, with what was removed since and is
// still mapped by somebody. What nobody maps goes to make room, or when nobody has asked for it in
// a minute.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sock/fd.hpp"

#include "data_rules.hpp"

namespace sockd {

/// What is under a name at a time.
struct ObjectVersion {
  DataName of;
  std::string version;
  auto operator<=>(const ObjectVersion&) const = default;
};

/// Thread-bound.
class ObjectCopies {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  static constexpr std::chrono::minutes idle{1};

  explicit ObjectCopies(DataQuota quota) noexcept : quota_{quota} {}

  /// A file for one who asks; nothing: it is not here, or not yet.
  std::optional<sock::UniqueFd> find(const ObjectVersion& object, Time now);
  /// Makes room for one that is to come, until arrived() or abandon(). On failure: Errc::exhausted.
  sock::Result<> expect(const ObjectVersion& object, std::uint64_t size, Time now);
  /// The file is sealed. Another one of it, for one who asks. On failure it is still to come.
  sock::Result<sock::UniqueFd> arrived(const ObjectVersion& object, sock::UniqueFd file);
  void abandon(const ObjectVersion& object);
  /// Those that nobody has mapped, or asked for since `idle`.
  void forget_idle(Time now);

  [[nodiscard]] std::uint64_t bytes(const std::string& application) const;

 private:
  struct Name {
    std::string name;
    std::string version;
    auto operator<=>(const Name&) const = default;
  };
  struct Copy {
    std::uint64_t size;
    Time used;
    sock::UniqueFd file = {};  ///< None: it is to come.
  };
  struct OfApplication {
    std::map<Name, Copy> copies = {};
    std::uint64_t bytes = 0;
  };
  static void remove(OfApplication& all, std::map<Name, Copy>::iterator which);
  [[nodiscard]] bool has_room(const OfApplication& all, std::uint64_t size) const;
  void make_room(OfApplication& all, std::uint64_t size) const;

  DataQuota quota_;
  std::map<std::string, OfApplication> applications_ = {};
  Time next_look_ = {};
};

}  // namespace sockd
