#pragma once

// SQLite as Results. What is committed durably is on the disk; a process that is killed leaves a
// whole database behind.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "try.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace sockd {

using sock::Result;

/// Thread-bound. All of it blocks, for as long as the disk takes.
class Database {
 public:
  /// Made where it is missing, for its owner alone; then `schema`, SQL that may have run before. On
  /// failure: Errc::corrupt for a file that is no database, Errc::io.
  static Result<Database> open(const std::string& path, const char* schema);

  /// SQL without values.
  Result<> run(const char* sql);
  class Statement;
  Result<Statement> prepare(const char* sql);
  /// What is done between begin() and commit() is done as one. What is durable survives the
  /// machine; the rest survives this process. A failure in between takes all of it back.
  enum class Durability : std::uint8_t { process, machine };
  template <class Work>
  Result<> as_one(Durability durability, Work work);

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  using Handle = std::unique_ptr<sqlite3, Close>;
  explicit Database(Handle handle) noexcept : handle_{std::move(handle)} {}
  Result<> begin(Durability durability);
  Result<> end(Result<> done);

  Handle handle_;
};

/// One SQL statement and its values. Bound texts must live until the next step().
class Database::Statement {
 public:
  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, std::int64_t number);
  /// Whether there is a row to look at.
  Result<bool> step();
  /// Once more, with other values.
  void reset() noexcept;

  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  using Handle = std::unique_ptr<sqlite3_stmt, Finalize>;
  Statement(Handle handle, sqlite3* database) noexcept
      : handle_{std::move(handle)}, database_{database} {}

  Handle handle_;
  sqlite3* database_;
};

template <class Work>
Result<> Database::as_one(Durability durability, Work work) {
  if (const auto begun = begin(durability); !begun.has_value())
    return std::unexpected(begun.error());
  return end(work());
}

}  // namespace sockd
