// Sockets that do not wait, and poll(2), which waits as long as we say.

#include "redis_connection.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <sys/socket.h>

#include "posix.hpp"
#include "readable.hpp"
#include "redis_answers.hpp"
#include "redis_errors.hpp"
#include "redis_socket.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;

constexpr std::size_t most_answer = redis_piece + 4096;  // Or what else it has to say.

/// What a system call has just refused, but for "not now".
Result<> unless_later(const char* hint) {
  auto error = sockctl::last_error("redis", hint).error();
  if (sockctl::would_block(error)) return {};
  return std::unexpected(std::move(error));
}

/// Who may not use it is told so in answer to a word: instead of long ones it ends the connection.
Result<> greet(RedisConnection& connection, const RedisAccess& access, Patience& patience) {
  if (access.password.empty()) {
    const std::array<std::string_view, 1> words{"PING"};
    const auto reply = SOCKCTL_TRY(connection.ask({.words = words}, patience));
    return ping_answer(reply);
  }
  const std::string_view user = access.user.empty() ? "default" : std::string_view{access.user};
  const std::array<std::string_view, 3> words{"AUTH", user, access.password};
  const auto reply = SOCKCTL_TRY(connection.ask({.words = words}, patience));
  return login_answer(reply);
}

}  // namespace

Result<RedisConnection> RedisConnection::open(const RedisAccess& access, Patience& patience) {
  auto socket = SOCKCTL_TRY(connect_to(access.address, patience));
  RedisConnection connection{std::move(socket)};
  SOCKCTL_TRY(greet(connection, access, patience));
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

Result<> RedisConnection::send(const RedisCommand& command, Patience& patience) const {
  if (command.object == nullptr) return send(redis_command(command.words), patience);
  const auto& [file, size] = *command.object;
  std::string text = redis_command(command.words, command.version.size() + size);
  text += command.version;
  for (std::uint64_t sent = 0; sent < size;) {
    const std::size_t before = text.size();
    const auto now = std::min<std::uint64_t>(size - sent, redis_piece);
    text.resize(before + now);
    SOCKCTL_TRY(read_sealed_at(file, sent, std::span{text}.subspan(before)));
    SOCKCTL_TRY(send(text, patience));
    text.clear();
    sent += now;
  }
  text += redis_end;
  return send(text, patience);
}

Result<RedisReply> RedisConnection::ask(const RedisCommand& command, Patience& patience) {
  SOCKCTL_TRY(send(command, patience));
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
