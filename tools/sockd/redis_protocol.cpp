// Of hiredis the reader alone: its connections know no deadline for a whole answer.

#include "redis_protocol.hpp"

#include <iterator>
#include <new>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;

constexpr std::size_t most_header = 64;  // Around a text: its kind, its length, two ends of lines.

std::unexpected<sock::Error> refuse(Errc code, std::string why) {
  return sockctl::refuse(code, sock::Stage::none, "redis", std::move(why));
}

/// At the begin of an answer. No list is asked for, nor a map, a set or a push, which newer
/// versions of hiredis know: for as many values as such a one says it has, there would be memory at
/// once.
bool is_of_another_kind(const redisReader& reader) {
  constexpr std::string_view kinds = "+-:$";
  const bool at_begin = reader.ridx < 0 && reader.pos < reader.len;
  return at_begin && !kinds.contains(reader.buf[reader.pos]);
}

std::unexpected<sock::Error> too_much(std::size_t most) {
  return refuse(Errc::exhausted, "it answers with more than " + std::to_string(most) + " bytes");
}

bool is_known(int type) {
  switch (type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_INTEGER:
    case REDIS_REPLY_NIL:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string redis_command(std::span<const std::string_view> words,
                          std::optional<std::uint64_t> last) {
  std::string text = fmt::format("*{}\r\n", words.size() + (last ? 1 : 0));
  for (const auto word : words)
    fmt::format_to(std::back_inserter(text), "${}\r\n{}\r\n", word.size(), word);
  if (last) fmt::format_to(std::back_inserter(text), "${}\r\n", *last);
  return text;
}

void RedisReply::Free::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

RedisReply::Kind RedisReply::kind() const noexcept {
  switch (reply_->type) {
    case REDIS_REPLY_STRING:
      return Kind::text;
    case REDIS_REPLY_INTEGER:
      return Kind::number;
    case REDIS_REPLY_STATUS:
      return Kind::status;
    case REDIS_REPLY_ERROR:
      return Kind::error;
    default:
      return Kind::nothing;
  }
}

std::string_view RedisReply::text() const noexcept {
  return reply_->str == nullptr ? std::string_view{} : std::string_view{reply_->str, reply_->len};
}

std::int64_t RedisReply::number() const noexcept {
  return reply_->integer;
}

void RedisReader::Free::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

RedisReader::RedisReader(std::size_t most) : reader_{redisReaderCreate()}, most_{most} {
  if (!reader_) throw std::bad_alloc{};
}

Result<std::optional<RedisReply>> RedisReader::take(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
    return refuse(Errc::corrupt, reader_->errstr);
  if (is_of_another_kind(*reader_)) return refuse(Errc::corrupt, "it answers with another type");
  void* object = nullptr;
  if (redisReaderGetReply(reader_.get(), &object) != REDIS_OK)
    return refuse(Errc::corrupt, reader_->errstr);
  if (object == nullptr) {
    if (reader_->len - reader_->pos > most_ + most_header) return too_much(most_);
    return std::optional<RedisReply>{};
  }
  RedisReply reply{static_cast<redisReply*>(object)};
  if (!is_known(reply.reply_->type)) return refuse(Errc::corrupt, "it answers with another type");
  if (reader_->pos != reader_->len)
    return refuse(Errc::corrupt, "it has answered what nobody has asked");
  if (reply.text().size() > most_) return too_much(most_);
  return std::optional<RedisReply>{std::move(reply)};
}

}  // namespace sockd
