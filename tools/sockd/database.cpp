// Write-ahead logging: a commit is one append, and durable with one fsync.

#include "database.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

namespace sockd {
namespace {

using sock::Errc;
using sock::Stage;

constexpr int busy_ms = 5'000;  // For somebody who looks into the file with a tool.

Errc code_of(int failed) {
  switch (failed & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Errc::exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return Errc::denied;
    default:
      return Errc::io;
  }
}

std::unexpected<sock::Error> failure(sqlite3* database) {
  const char* const path = sqlite3_db_filename(database, nullptr);
  return sockctl::refuse(code_of(sqlite3_extended_errcode(database)), Stage::state,
                         path != nullptr ? path : "database", sqlite3_errmsg(database));
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}

void Database::Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Result<Database> Database::open(const std::string& path, const char* schema) {
  sqlite3* opened = nullptr;
  const auto mask = ::umask(0077);
  const int failed = sqlite3_open_v2(
      path.c_str(), &opened,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
      nullptr);
  ::umask(mask);
  Database database{Handle{opened}};
  if (failed != SQLITE_OK)
    return sockctl::refuse(code_of(failed), Stage::state, path, sqlite3_errstr(failed));
  sqlite3_busy_timeout(opened, busy_ms);
  for (const char* const sql : {"PRAGMA journal_mode = WAL", schema})
    SOCKCTL_TRY(database.run(sql));
  return database;
}

Result<> Database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure(handle_.get());
  return {};
}

Result<Database::Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql, -1, &made, nullptr) != SQLITE_OK)
    return failure(handle_.get());
  return Statement{Statement::Handle{made}, handle_.get()};
}

// The pragma has no effect inside a transaction.
Result<> Database::begin(Durability durability) {
  SOCKCTL_TRY(run(durability == Durability::machine ? "PRAGMA synchronous = FULL"
                                                    : "PRAGMA synchronous = NORMAL"));
  return run("BEGIN IMMEDIATE");
}

Result<> Database::end(Result<> done) {
  if (done.has_value()) done = run("COMMIT");
  if (!done.has_value()) (void)run("ROLLBACK").has_value();
  return done;
}

Database::Statement& Database::Statement::bind(int at, std::string_view text) {
  // A bound null would be NULL.
  sqlite3_bind_text64(handle_.get(), at, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Database::Statement& Database::Statement::bind(int at, std::int64_t number) {
  sqlite3_bind_int64(handle_.get(), at, number);
  return *this;
}

Result<bool> Database::Statement::step() {
  const int stepped = sqlite3_step(handle_.get());
  if (stepped == SQLITE_ROW) return true;
  if (stepped == SQLITE_DONE) return false;
  return failure(database_);
}

void Database::Statement::reset() noexcept {
  sqlite3_reset(handle_.get());
}

std::string Database::Statement::text(int column) const {
  const auto* const text =
      reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return text != nullptr ? std::string{text, size} : std::string{};
}

std::int64_t Database::Statement::number(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

}  // namespace sockd
