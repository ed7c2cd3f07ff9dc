// Nothing is looked up here.

#include "redis_address.hpp"

#include <algorithm>
#include <charconv>

#include <sys/un.h>

namespace sockd {
namespace {

using sock::Result;

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t most_host = 253;  // Of a name in the DNS.

std::unexpected<sock::Error> refuse(std::string_view text, const char* hint) {
  return sockctl::refuse(sock::Errc::invalid_spec, sock::Stage::validate,
                         "redis '" + std::string{text} + "'", hint);
}

Result<RedisAddress> unix_address(std::string_view text) {
  const std::string_view path = text.substr(unix_prefix.size());
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos)
    return refuse(text, "unix: is followed by an absolute path, like unix:/run/redis/redis.sock");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return refuse(text, "the path of a socket has at most 107 bytes");
  return RedisAddress{.path = std::string{path}};
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool is_address_character(char c) {
  return is_host_character(c) || c == ':' || c == '%';
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= most_host && host.front() != '-' &&
         std::ranges::all_of(host, is_host_character);
}

/// An IPv6 address, in brackets because it has colons itself.
bool is_bracketed(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string_view inner = host.substr(1, host.size() - 2);
  return inner.find(':') != std::string_view::npos && inner.size() <= most_host &&
         std::ranges::all_of(inner, is_address_character);
}

}  // namespace

Result<RedisAddress> parse_redis_address(std::string_view text) {
  if (text.starts_with(unix_prefix)) return unix_address(text);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return refuse(text, "unix:/PATH or HOST:PORT, like 127.0.0.1:6379");
  std::string_view host = text.substr(0, colon);
  const std::string_view number = text.substr(colon + 1);
  if (!is_host(host) && !is_bracketed(host))
    return refuse(text, "HOST:PORT, where HOST is a name, an address or an [IPv6 address]");
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  RedisAddress address{.host = std::string{host}};
  const char* const end = number.data() + number.size();
  const auto [rest, failed] = std::from_chars(number.data(), end, address.port);
  if (failed != std::errc{} || rest != end || address.port == 0)
    return refuse(text, "a port is a number from 1 to 65535");
  return address;
}

}  // namespace sockd
