#pragma once

// What is said to a Redis, and what it answers: hiredis' reader as Results. Whoever answers is not
// trusted. Pure.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "try.hpp"

struct redisReader;
struct redisReply;

namespace sockd {

/// A command as it is sent, whose words may hold any bytes. With `last` there is one more word of
/// so many bytes: those, and redis_end, are sent behind it.
std::string redis_command(std::span<const std::string_view> words,
                          std::optional<std::uint64_t> last = {});
inline constexpr std::string_view redis_end = "\r\n";

/// One answer. Nothing that is asked here is answered with a list.
class RedisReply {
 public:
  enum class Kind : std::uint8_t { status, error, number, text, nothing };

  [[nodiscard]] Kind kind() const noexcept;
  /// Of a status, an error or a text; it lives as long as the reply.
  [[nodiscard]] std::string_view text() const noexcept;
  [[nodiscard]] std::int64_t number() const noexcept;

 private:
  friend class RedisReader;
  struct Free {
    void operator()(redisReply* reply) const noexcept;
  };
  explicit RedisReply(redisReply* reply) noexcept : reply_{reply} {}
  std::unique_ptr<redisReply, Free> reply_;
};

/// The answer to one command, from the bytes that come. Thread-bound.
class RedisReader {
 public:
  /// Of an answer's text so many bytes are taken.
  explicit RedisReader(std::size_t most);

  /// Nothing: there is more to come. On failure: Errc::corrupt for what is no answer, and for bytes
  /// behind one; Errc::exhausted for too many.
  sock::Result<std::optional<RedisReply>> take(std::string_view bytes);

 private:
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Free> reader_;
  std::size_t most_;
};

}  // namespace sockd
