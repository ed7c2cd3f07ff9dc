// Sockets that do not wait, and poll(2), which waits as long as we say.

#include "redis_connection.hpp"

#include <array>
#include <memory>

#include <sys/socket.h>

#include "posix.hpp"
#include "readable.hpp"
#include "redis_errors.hpp"
#include "redis_socket.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;

constexpr std::size_t most_word = 4096;  // Of what Redis says of a password.

/// What a system call has just refused, but for "not now".
Result<> unless_later(const char* hint) {
  auto error = sockctl::last_error("redis", hint).error();
  if (sockctl::would_block(error)) return {};
  return std::unexpected(std::move(error));
}

Result<> log_in(RedisConnection& connection, const std::string& password, Patience& patience) {
  const std::array<std::string_view, 2> words{"AUTH", password};
  const auto reply = SOCKCTL_TRY(connection.ask(words, most_word, patience));
  if (reply.kind() == RedisReply::Kind::status && reply.text() == "OK") return {};
  return refuse_redis(Errc::denied, reply.text());
}

}  // namespace

Result<RedisConnection> RedisConnection::open(const RedisAccess& access, Patience& patience) {
  auto socket = SOCKCTL_TRY(connect_to(access.address, patience));
  RedisConnection connection{std::move(socket)};
  if (!access.password.empty()) SOCKCTL_TRY(log_in(connection, access.password, patience));
  return connection;
}

bool RedisConnection::is_usable() const {
  return !is_readable(socket_);
}

Result<> RedisConnection::send(std::string_view bytes, Patience& patience) const {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      SOCKCTL_TRY(unless_later("the connection was lost"));
      SOCKCTL_TRY(wait_for_socket(socket_, POLLOUT, patience));
      continue;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
    patience.passed(static_cast<std::size_t>(sent), Patience::Clock::now());
  }
  return {};
}

Result<RedisReply> RedisConnection::ask(std::span<const std::string_view> words,
                                        std::size_t most_answer, Patience& patience) {
  {
    const auto command = SOCKCTL_TRY(RedisCommand::of(words));
    SOCKCTL_TRY(send(command.bytes(), patience));
  }
  constexpr std::size_t at_once = 256U << 10U;
  const auto buffer = std::make_unique_for_overwrite<char[]>(at_once);
  RedisReader reader{most_answer};
  for (;;) {
    SOCKCTL_TRY(wait_for_socket(socket_, POLLIN, patience));
    const auto got = ::recv(socket_.get(), buffer.get(), at_once, 0);
    if (got == 0) return refuse_redis(Errc::closed, "it has ended the connection");
    if (got < 0) {
      SOCKCTL_TRY(unless_later("the connection was lost"));
      continue;
    }
    const auto size = static_cast<std::size_t>(got);
    patience.passed(size, Patience::Clock::now());
    if (auto reply = SOCKCTL_TRY(reader.take({buffer.get(), size}))) return std::move(*reply);
  }
}

}  // namespace sockd
