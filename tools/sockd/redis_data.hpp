#pragma once

// The data of all applications in a Redis, which daemons on several machines share. An object is
// copied there once, and from there once for each machine that asks. Where Redis hangs or is gone,
// the calls that need it fail in time (patience.hpp), and nothing else waits for it.

#include <map>
#include <memory>
#include <optional>

#include <boost/asio/thread_pool.hpp>

#include "object_copies.hpp"
#include "redis_answers.hpp"
#include "redis_connections.hpp"
#include "shared_data.hpp"

namespace sockd {

class RedisData final : public SharedData {
 public:
  RedisData(RedisAccess access, DataQuota quota)
      : quota_{quota}, copies_{quota}, connections_{std::move(access)} {}

  Answer<> reach() override;
  Answer<> put(DataName of, SealedObject object, std::chrono::milliseconds time_to_live) override;
  Answer<sock::UniqueFd> get(DataName of) override;
  Answer<bool> remove(DataName of) override;
  Answer<std::int64_t> add(DataName of, std::int64_t by,
                           std::chrono::milliseconds time_to_live) override;
  void forget_old() override { copies_.forget_idle(ObjectCopies::Clock::now()); }

 private:
  /// An object on its way: whoever asks for it meanwhile waits.
  struct Arrival;

  /// Errc::not_found: the name stands for another object by now, or for none.
  Answer<sock::UniqueFd> get_version(DataName of, RedisObject object);
  Answer<sock::UniqueFd> await(std::shared_ptr<Arrival> arrival, ObjectVersion wanted);
  Answer<sock::UniqueFd> fetch(ObjectVersion wanted, std::uint64_t size);

  // In the pool's threads.
  sock::Result<> ping(Patience& patience);
  sock::Result<> put_now(const DataName& of, const SealedObject& object,
                         std::chrono::milliseconds time_to_live, Patience& patience);
  sock::Result<RedisObject> find_now(const DataName& of, Patience& patience);
  sock::Result<sock::UniqueFd> fetch_now(const ObjectVersion& wanted, std::uint64_t size,
                                         Patience& patience);
  sock::Result<bool> remove_now(const DataName& of, Patience& patience);
  sock::Result<std::int64_t> add_now(const DataName& of, std::int64_t by,
                                     std::chrono::milliseconds time_to_live, Patience& patience);

  static constexpr std::size_t most_connections = 4;

  const DataQuota quota_;
  const RedisScript put_ = put_script();
  const RedisScript find_ = find_script();
  const RedisScript piece_ = piece_script();
  const RedisScript remove_ = remove_script();
  const RedisScript add_ = add_script();
  ObjectCopies copies_;
  std::map<ObjectVersion, std::shared_ptr<Arrival>> arrivals_ = {};
  RedisConnections connections_;
  boost::asio::thread_pool threads_{most_connections};  // Ends before what its threads use.
};

}  // namespace sockd
