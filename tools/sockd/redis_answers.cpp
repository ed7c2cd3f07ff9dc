// A status is one of the words of redis_scripts.hpp.

#include "redis_answers.hpp"

#include <charconv>
#include <optional>

#include "data_rules.hpp"
#include "redis_errors.hpp"
#include "redis_scripts.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;
using Kind = RedisReply::Kind;

std::unexpected<sock::Error> unexpected_answer(const RedisReply& reply) {
  if (reply.kind() == Kind::error) return told_by_redis(reply.text());
  return refuse_redis(Errc::corrupt, "it answers something else than was asked");
}

bool is_status(const RedisReply& reply, std::string_view word) {
  return reply.kind() == Kind::status && reply.text() == word;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || rest != end) return std::nullopt;
  return value;
}

}  // namespace

Result<> put_answer(const RedisReply& reply, const std::string& name) {
  if (is_status(reply, "OK")) return {};
  if (is_status(reply, "EXISTS")) return object_exists(name);
  if (is_status(reply, "EXHAUSTED")) return quota_used_up(name);
  return unexpected_answer(reply);
}

Result<RedisObject> find_answer(const RedisReply& reply, const std::string& name) {
  if (reply.kind() == Kind::nothing) return no_such_object(name);
  const std::string_view text = reply.text();
  constexpr std::size_t size_at = redis_version_size + 1;
  if (reply.kind() != Kind::text || text.size() <= size_at || text[size_at - 1] != ' ')
    return unexpected_answer(reply);
  const auto size = number_in<std::uint64_t>(text.substr(size_at));
  if (!size) return unexpected_answer(reply);
  return RedisObject{.version = std::string{text.substr(0, redis_version_size)}, .size = *size};
}

Result<std::string_view> piece_answer(const RedisReply& reply, std::size_t size,
                                      const std::string& name) {
  if (reply.kind() == Kind::nothing) return no_such_object(name);
  if (reply.kind() != Kind::text || reply.text().size() != size) return unexpected_answer(reply);
  return reply.text();
}

Result<bool> remove_answer(const RedisReply& reply) {
  if (reply.kind() != Kind::number || reply.number() < 0 || reply.number() > 1)
    return unexpected_answer(reply);
  return reply.number() == 1;
}

Result<std::int64_t> add_answer(const RedisReply& reply, const std::string& name) {
  if (is_status(reply, "EXHAUSTED")) return quota_used_up(name);
  if (is_status(reply, "OVERFLOW")) return counter_overflows(name);
  if (reply.kind() != Kind::text) return unexpected_answer(reply);
  const auto value = number_in<std::int64_t>(reply.text());
  if (!value) return unexpected_answer(reply);
  return *value;
}

Result<> login_answer(const RedisReply& reply) {
  if (is_status(reply, "OK")) return {};
  return refuse_redis(Errc::denied, reply.text());
}

Result<> ping_answer(const RedisReply& reply) {
  if (is_status(reply, "PONG")) return {};
  return unexpected_answer(reply);
}

bool is_unknown_script(const RedisReply& reply) {
  return reply.kind() == Kind::error && reply.text().starts_with("NOSCRIPT ");
}

}  // namespace sockd
