#pragma once

// What goes wrong with a Redis, as errors whose subject is "redis". Pure.

#include <string_view>

#include "try.hpp"

namespace sockd {

/// `why` may be Redis' own words: they are shortened, and made printable by Error::message().
std::unexpected<sock::Error> refuse_redis(sock::Errc code, std::string_view why);
/// An error that Redis has told: Errc::denied, Errc::exhausted when it has no memory, or Errc::io.
std::unexpected<sock::Error> told_by_redis(std::string_view text);

}  // namespace sockd
