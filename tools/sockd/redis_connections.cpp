// The one that was used last is the next: what is not needed is closed by Redis' own timeout.

#include "redis_connections.hpp"

#include <string>
#include <string_view>

#include "redis_answers.hpp"

namespace sockd {

using sock::Result;

Result<RedisReply> RedisConnections::ask(const RedisCommand& command, Patience& patience) {
  auto connection = SOCKCTL_TRY(take(patience));
  auto reply = connection.ask(command, patience);
  if (reply.has_value())
    give_back(std::move(connection));
  else
    forget_idle();
  return reply;
}

Result<RedisReply> RedisConnections::run(const RedisScript& script, const RedisCommand& command,
                                         Patience& patience) {
  const std::string keys = std::to_string(script.keys);
  std::vector<std::string_view> all{"EVALSHA", script.digest, keys};
  all.insert(all.end(), command.words.begin(), command.words.end());
  RedisCommand whole = command;
  whole.words = all;
  auto reply = SOCKCTL_TRY(ask(whole, patience));
  if (!is_unknown_script(reply)) return reply;
  all[0] = "EVAL";
  all[1] = script.text;
  return ask(whole, patience);
}

Result<RedisConnection> RedisConnections::take(Patience& patience) {
  while (auto idle = take_idle())
    if (idle->is_usable()) return std::move(*idle);
  return RedisConnection::open(access_, patience);
}

std::optional<RedisConnection> RedisConnections::take_idle() {
  const std::lock_guard lock{mutex_};
  if (idle_.empty()) return std::nullopt;
  std::optional<RedisConnection> last{std::move(idle_.back())};
  idle_.pop_back();
  return last;
}

void RedisConnections::give_back(RedisConnection connection) {
  const std::lock_guard lock{mutex_};
  idle_.push_back(std::move(connection));
}

// They are as old as the one that has failed.
void RedisConnections::forget_idle() {
  const std::lock_guard lock{mutex_};
  idle_.clear();
}

}  // namespace sockd
