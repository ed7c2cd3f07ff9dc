// Two tables in one file. Times are milliseconds since 1970.

#include "event_store.hpp"

#include <iterator>

namespace sockd {
namespace {

using sock::Errc;
using sock::Stage;
using enum Database::Durability;

constexpr const char* schema = R"(
  CREATE TABLE IF NOT EXISTS waiting (
    id TEXT PRIMARY KEY, function TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL,
    accepted INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS dead (
    id TEXT PRIMARY KEY, function TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL,
    accepted INTEGER NOT NULL, attempts INTEGER NOT NULL,
    died INTEGER NOT NULL, outcome TEXT NOT NULL, error TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS dead_of_function ON dead (function, died);
)";

std::int64_t number_of(EventTime time) {
  return time.time_since_epoch().count();
}

EventTime time_of(std::int64_t number) {
  return EventTime{std::chrono::milliseconds{number}};
}

/// A statement that changes something and gives no rows.
Result<> finish(Database::Statement& statement) {
  SOCKCTL_TRY(statement.step());
  return {};
}

}  // namespace

Result<EventStore> EventStore::open(const std::string& path) {
  auto database = SOCKCTL_TRY(Database::open(path, schema));
  return EventStore{std::move(database)};
}

Result<> EventStore::add(std::span<const Event> events) {
  return database_.as_one(machine, [&]() -> Result<> {
    auto insert =
        SOCKCTL_TRY(database_.prepare("INSERT INTO waiting VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
    for (const Event& event : events) {
      insert.reset();
      insert.bind(1, event.id).bind(2, event.function).bind(3, event.source).bind(4, event.text);
      insert.bind(5, number_of(event.accepted)).bind(6, number_of(event.due));
      insert.bind(7, std::int64_t{event.attempts});
      SOCKCTL_TRY(finish(insert));
    }
    return {};
  });
}

Result<std::vector<Event>> EventStore::waiting() {
  auto rows = SOCKCTL_TRY(
      database_.prepare("SELECT id, function, source, length(CAST(text AS BLOB)), accepted, due,"
                        " attempts FROM waiting"));
  std::vector<Event> events;
  while (SOCKCTL_TRY(rows.step()))
    events.push_back({.id = rows.text(0),
                      .function = rows.text(1),
                      .source = rows.text(2),
                      .text = {},
                      .size = static_cast<std::uint64_t>(rows.number(3)),
                      .accepted = time_of(rows.number(4)),
                      .due = time_of(rows.number(5)),
                      .attempts = static_cast<unsigned>(rows.number(6))});
  return events;
}

Result<std::string> EventStore::text(const std::string& id) {
  auto rows = SOCKCTL_TRY(database_.prepare("SELECT text FROM waiting WHERE id = ?1"));
  rows.bind(1, id);
  if (SOCKCTL_TRY(rows.step())) return rows.text(0);
  return sockctl::refuse(Errc::not_found, Stage::none, "event " + id, "it does not wait any more");
}

Result<> EventStore::postpone(const std::string& id, EventTime due, unsigned attempts) {
  return database_.as_one(process, [&]() -> Result<> {
    auto update =
        SOCKCTL_TRY(database_.prepare("UPDATE waiting SET due = ?2, attempts = ?3 WHERE id = ?1"));
    update.bind(1, id).bind(2, number_of(due)).bind(3, std::int64_t{attempts});
    return finish(update);
  });
}

Result<> EventStore::remove(const std::string& id) {
  return database_.as_one(process, [&]() -> Result<> {
    auto remove = SOCKCTL_TRY(database_.prepare("DELETE FROM waiting WHERE id = ?1"));
    remove.bind(1, id);
    return finish(remove);
  });
}

Result<> EventStore::bury(const DeadLetter& letter) {
  const std::string& id = letter.event.id;
  return database_.as_one(process, [&]() -> Result<> {
    auto copy = SOCKCTL_TRY(database_.prepare(
        "INSERT OR REPLACE INTO dead SELECT id, function, source, text, accepted, ?2, ?3, ?4, ?5"
        " FROM waiting WHERE id = ?1"));
    copy.bind(1, id).bind(2, std::int64_t{letter.event.attempts}).bind(3, number_of(letter.died));
    copy.bind(4, letter.outcome).bind(5, letter.error);
    SOCKCTL_TRY(finish(copy));
    auto remove = SOCKCTL_TRY(database_.prepare("DELETE FROM waiting WHERE id = ?1"));
    remove.bind(1, id);
    SOCKCTL_TRY(finish(remove));
    auto forget = SOCKCTL_TRY(
        database_.prepare("DELETE FROM dead WHERE id IN (SELECT id FROM dead WHERE function = ?1"
                          " ORDER BY died DESC, rowid DESC LIMIT -1 OFFSET ?2)"));
    forget.bind(1, letter.event.function).bind(2, most_dead);
    return finish(forget);
  });
}

Result<std::vector<DeadLetter>> EventStore::dead(const std::string& function, std::size_t most) {
  auto rows = SOCKCTL_TRY(database_.prepare(
      "SELECT id, source, length(CAST(text AS BLOB)), accepted, attempts, died, outcome, error"
      " FROM dead WHERE function = ?1 ORDER BY died DESC, rowid DESC LIMIT ?2"));
  rows.bind(1, function).bind(2, static_cast<std::int64_t>(most));
  std::vector<DeadLetter> letters;
  while (SOCKCTL_TRY(rows.step()))
    letters.push_back({.event = {.id = rows.text(0),
                                 .function = function,
                                 .source = rows.text(1),
                                 .text = {},
                                 .size = static_cast<std::uint64_t>(rows.number(2)),
                                 .accepted = time_of(rows.number(3)),
                                 .due = {},
                                 .attempts = static_cast<unsigned>(rows.number(4))},
                       .died = time_of(rows.number(5)),
                       .outcome = rows.text(6),
                       .error = rows.text(7)});
  return letters;
}

Result<std::vector<Event>> EventStore::revive(const std::string& function, EventTime now) {
  std::vector<Event> revived;
  const auto moved = database_.as_one(machine, [&]() -> Result<> {
    auto letters = SOCKCTL_TRY(dead(function, std::size_t{most_dead}));
    for (auto& letter : letters) {
      letter.event.accepted = letter.event.due = now;
      letter.event.attempts = 0;
      revived.push_back(std::move(letter.event));
    }
    auto copy = SOCKCTL_TRY(database_.prepare(
        "INSERT OR REPLACE INTO waiting SELECT id, function, source, text, ?2, ?2, 0 FROM dead"
        " WHERE function = ?1"));
    copy.bind(1, function).bind(2, number_of(now));
    SOCKCTL_TRY(finish(copy));
    auto remove = SOCKCTL_TRY(database_.prepare("DELETE FROM dead WHERE function = ?1"));
    remove.bind(1, function);
    return finish(remove);
  });
  if (!moved.has_value()) return std::unexpected(moved.error());
  return revived;
}

Result<> EventStore::forget_dead(const std::string& function) {
  return database_.as_one(process, [&]() -> Result<> {
    auto remove = SOCKCTL_TRY(database_.prepare("DELETE FROM dead WHERE function = ?1"));
    remove.bind(1, function);
    return finish(remove);
  });
}

}  // namespace sockd
