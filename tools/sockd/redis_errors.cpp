// The first word of what Redis tells is its code.

#include "redis_errors.hpp"

#include <string>

namespace sockd {
namespace {

using sock::Errc;

Errc code_of(std::string_view word) {
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
  return refuse_redis(code_of(text.substr(0, text.find(' '))), text);
}

}  // namespace sockd
