// Time is Redis' own: the clocks of those who ask may differ. It does not move within a script.
// What needs memory is the first that is written: Redis refuses that when it has none, and nothing
// behind it, so a script happens as a whole or not at all.

#include "redis_scripts.hpp"

#include <array>

#include <fmt/format.h>
#include <nettle/sha1.h>

namespace sockd {
namespace {

static_assert(redis_version_size == 36, "it stands in the scripts");

constexpr std::string_view put_text = R"(
local object, ends, total = KEYS[1], KEYS[2], KEYS[3]
local name, size, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local most_bytes, most_entries, longest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', object) == 1 then return redis.status_reply('EXISTS') end

local bytes = tonumber(redis.call('GET', total) or 0)
local ended = redis.call('ZRANGEBYSCORE', ends, '-inf', now)
for _, entry in ipairs(ended) do bytes = bytes - tonumber(string.match(entry, '^%d+')) end
local entries = redis.call('ZCARD', ends) - #ended
if entries == 0 or bytes < 0 then bytes = 0 end
local answer = 'OK'
if entries >= most_entries or bytes + size > most_bytes then answer = 'EXHAUSTED' end

if answer == 'OK' then redis.call('SET', object, ARGV[7], 'PX', life) end
redis.call('ZREMRANGEBYSCORE', ends, '-inf', now)
if answer == 'OK' and redis.call('ZADD', ends, now + life, size .. ' ' .. name) == 1 then
  bytes = bytes + size
end
redis.call('PEXPIRE', ends, longest + 60000)
redis.call('SET', total, bytes, 'PX', longest + 60000)
return redis.status_reply(answer)
)";

constexpr std::string_view find_text = R"(
local version = redis.call('GETRANGE', KEYS[1], 0, 35)
if version == '' then return false end
return version .. ' ' .. (redis.call('STRLEN', KEYS[1]) - 36)
)";

constexpr std::string_view piece_text = R"(
local from, count = 36 + ARGV[2], tonumber(ARGV[3])
if redis.call('GETRANGE', KEYS[1], 0, 35) ~= ARGV[1] then return false end
return redis.call('GETRANGE', KEYS[1], from, from + count - 1)
)";

constexpr std::string_view remove_text = R"(
local object, ends, total = KEYS[1], KEYS[2], KEYS[3]
if redis.call('EXISTS', object) == 0 then return 0 end
local size = redis.call('STRLEN', object) - 36
redis.call('UNLINK', object)
if redis.call('ZREM', ends, size .. ' ' .. ARGV[1]) == 1 and redis.call('EXISTS', total) == 1 then
  redis.call('DECRBY', total, size)
end
return 1
)";

constexpr std::string_view add_text = R"(
local counter, ends = KEYS[1], KEYS[2]
local name, by, life = ARGV[1], ARGV[2], tonumber(ARGV[3])
local most_entries, longest = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', counter) == 0 and redis.call('ZCOUNT', ends, now, '+inf') >= most_entries then
  return redis.status_reply('EXHAUSTED')
end
local sum = redis.pcall('INCRBY', counter, by)
if type(sum) == 'table' then
  if string.find(sum.err, 'overflow', 1, true) then return redis.status_reply('OVERFLOW') end
  return sum
end
redis.call('PEXPIRE', counter, life)
redis.call('ZREMRANGEBYSCORE', ends, '-inf', now)
redis.call('ZADD', ends, now + life, name)
redis.call('PEXPIRE', ends, longest + 60000)
return redis.call('GET', counter)
)";

std::string sha1_of(std::string_view text) {
  sha1_ctx state;
  sha1_init(&state);
  sha1_update(&state, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  std::array<std::uint8_t, SHA1_DIGEST_SIZE> digest{};
  sha1_digest(&state, digest.size(), digest.data());
  std::string digits;
  for (const auto byte : digest) digits += fmt::format("{:02x}", byte);
  return digits;
}

RedisScript script(std::string_view text, std::size_t keys) {
  return {.text = text, .keys = keys, .digest = sha1_of(text)};
}

}  // namespace

RedisScript put_script() {
  return script(put_text, 3);
}

RedisScript find_script() {
  return script(find_text, 1);
}

RedisScript piece_script() {
  return script(piece_text, 1);
}

RedisScript remove_script() {
  return script(remove_text, 3);
}

RedisScript add_script() {
  return script(add_text, 2);
}

}  // namespace sockd
