#pragma once

// What Redis' answers mean for objects and counters. Pure. Whatever is no such answer is
// Errc::corrupt; an error that it tells is as told_by_redis().

#include <cstdint>
#include <string>
#include <string_view>

#include "redis_protocol.hpp"

namespace sockd {

/// Of put_script(). On failure: Errc::exists, Errc::exhausted.
sock::Result<> put_answer(const RedisReply& reply, const std::string& name);
/// An object that Redis has, without its content.
struct RedisObject {
  std::string version;
  std::uint64_t size;
};
/// Of find_script(). On failure: Errc::not_found.
sock::Result<RedisObject> find_answer(const RedisReply& reply, const std::string& name);
/// Of piece_script(), if it has so many bytes; they live as long as the reply. On failure:
/// Errc::not_found.
sock::Result<std::string_view> piece_answer(const RedisReply& reply, std::size_t size,
                                            const std::string& name);
/// Of remove_script().
sock::Result<bool> remove_answer(const RedisReply& reply);
/// Of add_script(). On failure: Errc::exhausted, Errc::invalid_spec for what overflows.
sock::Result<std::int64_t> add_answer(const RedisReply& reply, const std::string& name);
/// Of AUTH. On failure: Errc::denied.
sock::Result<> login_answer(const RedisReply& reply);
/// Of PING.
sock::Result<> ping_answer(const RedisReply& reply);
/// Whether Redis does not know a script that it was asked to run by its digest, and has done
/// nothing.
bool is_unknown_script(const RedisReply& reply);

}  // namespace sockd
