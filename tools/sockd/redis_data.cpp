// The loop decides what may be asked, a thread of the pool asks.

#include "redis_data.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "call.hpp"
#include "patient_blocking.hpp"
#include "posix.hpp"
#include "redis_errors.hpp"
#include "sealed_memory.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;
using Milliseconds = std::chrono::milliseconds;

// Redis takes no longer texts.
constexpr std::uint64_t most_value = (512ULL << 20U) - redis_version_size;

/// What run_patiently() gives, or that there was nothing in time.
template <class T>
Result<T> in_time(std::optional<Result<T>> done) {
  if (done) return std::move(*done);
  return refuse_redis(Errc::timed_out, "it does not answer");
}

/// Names of applications have letters, digits, - and _ alone. In a Redis Cluster the part in braces
/// keeps all of an application's keys together.
std::string key(const DataName& of, std::string_view kind) {
  return "sock:{" + of.application + "}:" + std::string{kind};
}

}  // namespace

struct RedisData::Arrival {
  explicit Arrival(const asio::any_io_executor& executor)
      : changed{executor, asio::steady_timer::time_point::max()} {}
  asio::steady_timer changed;  ///< Cancelled when it is here, or has failed.
  std::optional<sock::Error> failed = {};
};

SharedData::Answer<> RedisData::reach() {
  auto work = [this](Patience& patience) { return ping(patience); };
  auto done = co_await run_patiently(threads_, std::move(work));
  co_return in_time(std::move(done));
}

SharedData::Answer<> RedisData::put(DataName of, SealedObject object, Milliseconds time_to_live) {
  const auto named = check_data_name(of.name);
  if (!named.has_value()) co_return std::unexpected(named.error());
  if (object.size > std::min(quota_.bytes, most_value)) co_return quota_used_up(of.name);
  auto work = [this, of = std::move(of), object = std::move(object), time_to_live](
                  Patience& patience) { return put_now(of, object, time_to_live, patience); };
  auto done = co_await run_patiently(threads_, std::move(work));
  co_return in_time(std::move(done));
}

SharedData::Answer<sock::UniqueFd> RedisData::get(DataName of) {
  if (!check_data_name(of.name).has_value()) co_return no_such_object(of.name);
  // Whoever removes it, and puts another, may come in between. Not for ever.
  constexpr int most_tries = 3;
  for (int i = 0; i < most_tries; ++i) {
    auto work = [this, of](Patience& patience) { return find_now(of, patience); };
    auto found = in_time(co_await run_patiently(threads_, std::move(work)));
    if (!found.has_value()) co_return std::unexpected(std::move(found).error());
    auto got = co_await get_version(of, std::move(*found));
    if (got.has_value() || got.error().code != Errc::not_found) co_return got;
  }
  co_return no_such_object(of.name);
}

SharedData::Answer<sock::UniqueFd> RedisData::get_version(DataName of, RedisObject object) {
  ObjectVersion wanted{.of = std::move(of), .version = std::move(object.version)};
  if (auto here = copies_.find(wanted, ObjectCopies::Clock::now())) co_return std::move(*here);
  const auto arriving = arrivals_.find(wanted);
  if (arriving != arrivals_.end()) co_return co_await await(arriving->second, std::move(wanted));
  co_return co_await fetch(std::move(wanted), object.size);
}

SharedData::Answer<sock::UniqueFd> RedisData::await(std::shared_ptr<Arrival> arrival,
                                                    ObjectVersion wanted) {
  co_await arrival->changed.async_wait(asio::as_tuple(asio::use_awaitable));
  if (arrival->failed) co_return std::unexpected(*arrival->failed);
  if (auto here = copies_.find(wanted, ObjectCopies::Clock::now())) co_return std::move(*here);
  co_return no_such_object(wanted.of.name);
}

SharedData::Answer<sock::UniqueFd> RedisData::fetch(ObjectVersion wanted, std::uint64_t size) {
  const auto room = copies_.expect(wanted, size, ObjectCopies::Clock::now());
  if (!room.has_value()) co_return std::unexpected(room.error());
  const auto arrival = std::make_shared<Arrival>(co_await asio::this_coro::executor);
  arrivals_.emplace(wanted, arrival);
  auto work = [this, wanted, size](Patience& patience) {
    return fetch_now(wanted, size, patience);
  };
  auto fetched = in_time(co_await run_patiently(threads_, std::move(work)));
  if (fetched.has_value()) fetched = copies_.arrived(wanted, std::move(*fetched));
  if (!fetched.has_value()) {
    copies_.abandon(wanted);
    arrival->failed = fetched.error();
  }
  arrivals_.erase(wanted);
  arrival->changed.cancel();
  co_return fetched;
}

SharedData::Answer<bool> RedisData::remove(DataName of) {
  if (!check_data_name(of.name).has_value()) co_return false;
  auto work = [this, of = std::move(of)](Patience& patience) { return remove_now(of, patience); };
  auto done = co_await run_patiently(threads_, std::move(work));
  co_return in_time(std::move(done));
}

SharedData::Answer<std::int64_t> RedisData::add(DataName of, std::int64_t by,
                                                Milliseconds time_to_live) {
  const auto named = check_data_name(of.name);
  if (!named.has_value()) co_return std::unexpected(named.error());
  auto work = [this, of = std::move(of), by, time_to_live](Patience& patience) {
    return add_now(of, by, time_to_live, patience);
  };
  auto done = co_await run_patiently(threads_, std::move(work));
  co_return in_time(std::move(done));
}

Result<> RedisData::ping(Patience& patience) {
  const std::array<std::string_view, 1> words{"PING"};
  const auto reply = SOCKCTL_TRY(connections_.ask({.words = words}, patience));
  return ping_answer(reply);
}

Result<> RedisData::put_now(const DataName& of, const SealedObject& object,
                            Milliseconds time_to_live, Patience& patience) {
  const std::array<std::string, 8> texts{key(of, "o:" + of.name),
                                         key(of, "ends"),
                                         key(of, "bytes"),
                                         std::to_string(object.size),
                                         std::to_string(quota_.allowed(time_to_live).count()),
                                         std::to_string(quota_.bytes),
                                         std::to_string(quota_.entries),
                                         std::to_string(quota_.time_to_live.count())};
  const auto& [own, ends, bytes, size, life, most_bytes, entries, longest] = texts;
  const std::array<std::string_view, 9> words{own,  ends,       bytes,   of.name, size,
                                              life, most_bytes, entries, longest};
  const std::string version = new_request_id();
  const RedisCommand command{.words = words, .version = version, .object = &object};
  const auto reply = SOCKCTL_TRY(connections_.run(put_, command, patience));
  return put_answer(reply, of.name);
}

Result<RedisObject> RedisData::find_now(const DataName& of, Patience& patience) {
  const std::string own = key(of, "o:" + of.name);
  const std::array<std::string_view, 1> words{own};
  const auto reply = SOCKCTL_TRY(connections_.run(find_, {.words = words}, patience));
  return find_answer(reply, of.name);
}

Result<sock::UniqueFd> RedisData::fetch_now(const ObjectVersion& wanted, std::uint64_t size,
                                            Patience& patience) {
  const std::string own = key(wanted.of, "o:" + wanted.of.name);
  auto file = SOCKCTL_TRY(open_memory());
  for (std::uint64_t come = 0; come < size;) {
    const auto next = std::min<std::uint64_t>(size - come, redis_piece);
    const std::string from = std::to_string(come);
    const std::string count = std::to_string(next);
    const std::array<std::string_view, 4> words{own, wanted.version, from, count};
    const auto reply = SOCKCTL_TRY(connections_.run(piece_, {.words = words}, patience));
    const auto piece = SOCKCTL_TRY(piece_answer(reply, next, wanted.of.name));
    SOCKCTL_TRY(sockctl::write_all(file, piece));
    come += next;
  }
  SOCKCTL_TRY(seal_memory(file));
  return file;
}

Result<bool> RedisData::remove_now(const DataName& of, Patience& patience) {
  const std::array<std::string, 3> keys{key(of, "o:" + of.name), key(of, "ends"), key(of, "bytes")};
  const std::array<std::string_view, 4> words{keys[0], keys[1], keys[2], of.name};
  const auto reply = SOCKCTL_TRY(connections_.run(remove_, {.words = words}, patience));
  return remove_answer(reply);
}

Result<std::int64_t> RedisData::add_now(const DataName& of, std::int64_t by,
                                        Milliseconds time_to_live, Patience& patience) {
  const std::array<std::string, 6> texts{key(of, "c:" + of.name),
                                         key(of, "counts"),
                                         std::to_string(by),
                                         std::to_string(quota_.allowed(time_to_live).count()),
                                         std::to_string(quota_.entries),
                                         std::to_string(quota_.time_to_live.count())};
  const auto& [own, counts, amount, life, entries, longest] = texts;
  const std::array<std::string_view, 7> words{own, counts, of.name, amount, life, entries, longest};
  const auto reply = SOCKCTL_TRY(connections_.run(add_, {.words = words}, patience));
  return add_answer(reply, of.name);
}

}  // namespace sockd
