// A status is one of the words of redis_scripts.hpp.

#include "redis_answers.hpp"

#include <charconv>

#include "data_rules.hpp"
#include "redis_errors.hpp"

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

}  // namespace

Result<> put_answer(const RedisReply& reply, const std::string& name) {
  if (is_status(reply, "OK")) return {};
  if (is_status(reply, "EXISTS")) return object_exists(name);
  if (is_status(reply, "EXHAUSTED")) return quota_used_up(name);
  return unexpected_answer(reply);
}

Result<std::string_view> get_answer(const RedisReply& reply, const std::string& name) {
  if (reply.kind() == Kind::text) return reply.text();
  if (reply.kind() == Kind::nothing) return no_such_object(name);
  return unexpected_answer(reply);
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
  const std::string_view text = reply.text();
  std::int64_t value = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || rest != text.data() + text.size()) return unexpected_answer(reply);
  return value;
}

Result<> ping_answer(const RedisReply& reply) {
  if (is_status(reply, "PONG")) return {};
  return unexpected_answer(reply);
}

bool is_unknown_script(const RedisReply& reply) {
  return reply.kind() == Kind::error && reply.text().starts_with("NOSCRIPT ");
}

}  // namespace sockd
