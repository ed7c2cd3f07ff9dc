// The loop decides what may be asked, a thread of the pool asks.

#include "redis_data.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "patient_blocking.hpp"
#include "redis_answers.hpp"
#include "redis_errors.hpp"
#include "sealed_memory.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;
using Milliseconds = std::chrono::milliseconds;

constexpr std::uint64_t most_value = 512ULL << 20U;  // Redis takes no longer texts.

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
  auto work = [this, of = std::move(of)](Patience& patience) { return get_now(of, patience); };
  auto done = co_await run_patiently(threads_, std::move(work));
  co_return in_time(std::move(done));
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
  constexpr std::size_t most_answer = 4096;
  const std::array<std::string_view, 1> words{"PING"};
  const auto reply = SOCKCTL_TRY(connections_.ask(words, most_answer, patience));
  return ping_answer(reply);
}

Result<> RedisData::put_now(const DataName& of, const SealedObject& object,
                            Milliseconds time_to_live, Patience& patience) {
  const auto content = SOCKCTL_TRY(SealedView::map(object.file, object.size));
  const std::array<std::string, 8> texts{key(of, "o:" + of.name),
                                         key(of, "ends"),
                                         key(of, "bytes"),
                                         std::to_string(object.size),
                                         std::to_string(quota_.allowed(time_to_live).count()),
                                         std::to_string(quota_.bytes),
                                         std::to_string(quota_.entries),
                                         std::to_string(quota_.time_to_live.count())};
  const auto& [own, ends, bytes, size, life, most_bytes, entries, longest] = texts;
  const std::array<std::string_view, 10> words{own,  ends,       bytes,   of.name, size,
                                               life, most_bytes, entries, longest, content.bytes()};
  const auto reply = SOCKCTL_TRY(connections_.run(put_, words, patience));
  return put_answer(reply, of.name);
}

Result<sock::UniqueFd> RedisData::get_now(const DataName& of, Patience& patience) {
  const std::string own = key(of, "o:" + of.name);
  const std::array<std::string_view, 2> words{"GET", own};
  const auto reply = SOCKCTL_TRY(connections_.ask(words, quota_.bytes, patience));
  const auto content = SOCKCTL_TRY(get_answer(reply, of.name));
  return seal(content);
}

Result<bool> RedisData::remove_now(const DataName& of, Patience& patience) {
  const std::array<std::string, 3> keys{key(of, "o:" + of.name), key(of, "ends"), key(of, "bytes")};
  const std::array<std::string_view, 4> words{keys[0], keys[1], keys[2], of.name};
  const auto reply = SOCKCTL_TRY(connections_.run(remove_, words, patience));
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
  const auto reply = SOCKCTL_TRY(connections_.run(add_, words, patience));
  return add_answer(reply, of.name);
}

}  // namespace sockd
