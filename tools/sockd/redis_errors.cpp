// The first word of what Redis tells is its code, mostly.

#include "redis_errors.hpp"

#include <string>

namespace sockd {
namespace {

using sock::Errc;

// What Redis 7 says instead of NOPERM when it is a script that may not do something.
constexpr std::string_view not_by_script = "ERR The user executing the script can't ";

Errc code_of(std::string_view text) {
  if (text.starts_with(not_by_script)) return Errc::denied;
  const std::string_view word = text.substr(0, text.find(' '));
  if (word == "WRONGPASS" || word == "NOAUTH" || word == "NOPERM") return Errc::denied;
  if (word == "OOM") return Errc::exhausted;
  return Errc::io;
}

}  // namespace

std::unexpected<sock::Error> refuse_redis(Errc code, std::string_view why) {
  constexpr std::size_t most = 200;
  return sockctl::refuse(code, sock::Stage::none, "redis", std::string{why.substr(0, most)});
}

std::unexpected<sock::Error> told_by_redis(std::string_view text) {
  return refuse_redis(code_of(text), text);
}

}  // namespace sockd
