#pragma once

// Events on disk: those that wait and those that were given up, until somebody says what becomes of
// them. One process at a time.

#include <span>
#include <string>
#include <vector>

#include "database.hpp"
#include "event.hpp"

namespace sockd {

/// Thread-bound. All of it blocks.
class EventStore {
 public:
  static Result<EventStore> open(const std::string& path);

  /// At the return they are on the disk, all of them or, on failure, none.
  Result<> add(std::span<const Event> events);
  /// All that wait, without their texts.
  Result<std::vector<Event>> waiting();
  /// The JSON of one that waits. On failure: Errc::not_found.
  Result<std::string> text(const std::string& id);
  Result<> postpone(const std::string& id, EventTime due, unsigned attempts);
  Result<> remove(const std::string& id);

  /// Gives one up. Of each function the last ones are kept, `most_dead` at most.
  Result<> bury(const DeadLetter& letter);
  /// Those of a function, the last one first, without their texts.
  Result<std::vector<DeadLetter>> dead(const std::string& function, std::size_t most);
  /// They wait again, as if they had just come. Gives them without their texts.
  Result<std::vector<Event>> revive(const std::string& function, EventTime now);
  Result<> forget_dead(const std::string& function);

  static constexpr std::int64_t most_dead = 1'000;

 private:
  explicit EventStore(Database database) noexcept : database_{std::move(database)} {}
  Database database_;
};

}  // namespace sockd
