#pragma once

// The data of all applications in a Redis, which daemons on several machines share. An object is
// copied there once, and from there for each get. Where Redis hangs or is gone, the calls that need
// it fail in time (patience.hpp), and nothing else waits for it.

#include <boost/asio/thread_pool.hpp>

#include "redis_connections.hpp"
#include "shared_data.hpp"

namespace sockd {

class RedisData final : public SharedData {
 public:
  RedisData(RedisAccess access, DataQuota quota) : quota_{quota}, connections_{std::move(access)} {}

  Answer<> reach() override;
  Answer<> put(DataName of, SealedObject object, std::chrono::milliseconds time_to_live) override;
  Answer<sock::UniqueFd> get(DataName of) override;
  Answer<bool> remove(DataName of) override;
  Answer<std::int64_t> add(DataName of, std::int64_t by,
                           std::chrono::milliseconds time_to_live) override;

 private:
  // In the pool's threads.
  sock::Result<> ping(Patience& patience);
  sock::Result<> put_now(const DataName& of, const SealedObject& object,
                         std::chrono::milliseconds time_to_live, Patience& patience);
  sock::Result<sock::UniqueFd> get_now(const DataName& of, Patience& patience);
  sock::Result<bool> remove_now(const DataName& of, Patience& patience);
  sock::Result<std::int64_t> add_now(const DataName& of, std::int64_t by,
                                     std::chrono::milliseconds time_to_live, Patience& patience);

  static constexpr std::size_t most_connections = 4;

  const DataQuota quota_;
  const RedisScript put_ = put_script();
  const RedisScript remove_ = remove_script();
  const RedisScript add_ = add_script();
  RedisConnections connections_;
  boost::asio::thread_pool threads_{most_connections};  // Ends before what its threads use.
};

}  // namespace sockd
