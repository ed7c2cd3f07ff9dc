#pragma once

// Connections to one Redis, for several threads: each uses one at a time, and leaves it to the
// next.

#include <mutex>
#include <optional>
#include <vector>

#include "redis_connection.hpp"
#include "redis_scripts.hpp"

namespace sockd {

/// Thread-safe. All of it blocks, as long as the patience lasts.
class RedisConnections {
 public:
  explicit RedisConnections(RedisAccess access) : access_{std::move(access)} {}

  /// Over a connection that is there, or a new one: so Redis may have gone and come back in
  /// between. Errors as RedisConnection's.
  sock::Result<RedisReply> ask(const RedisCommand& command, Patience& patience);
  /// The command is the keys and values. By its digest, and where Redis does not know that by its
  /// text.
  sock::Result<RedisReply> run(const RedisScript& script, const RedisCommand& command,
                               Patience& patience);

 private:
  sock::Result<RedisConnection> take(Patience& patience);
  std::optional<RedisConnection> take_idle();
  void give_back(RedisConnection connection);
  void forget_idle();

  const RedisAccess access_;
  std::mutex mutex_ = {};
  std::vector<RedisConnection> idle_ = {};  // Guarded by mutex_.
};

}  // namespace sockd
