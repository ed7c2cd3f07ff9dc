// What is mounted and which network is joined: options that are made of parts.

#include <charconv>

#include "parse.hpp"

namespace sockctl {
namespace {

constexpr std::string_view bind_hint = "SRC:DST or SRC:DST:rw, with an absolute DST";

Result<> set_tmpfs_option(sock::Tmpfs& tmpfs, std::string_view text, std::string_view whole_text) {
  constexpr std::string_view hint = "DST[:size=64m,mode=1777,inodes=1000]";
  const auto equals = text.find('=');
  const auto value =
      equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1);
  const auto key = text.substr(0, equals);
  if (key == "size") {
    tmpfs.size_max = SOCKCTL_TRY(parse_size("--tmpfs size", value));
    return {};
  }
  const int base = key == "mode" ? 8 : 10;
  std::uint32_t number = 0;
  const auto [end, problem] =
      std::from_chars(value.data(), value.data() + value.size(), number, base);
  const bool complete = problem == std::errc{} && end == value.data() + value.size();
  if (key == "mode" && complete && number <= 07777) {
    tmpfs.mode = number;
  } else if (key == "inodes" && complete && number > 0) {
    tmpfs.inodes_max = number;
  } else {
    return refuse_option("--tmpfs", whole_text, std::string{hint});
  }
  return {};
}

}  // namespace

Result<sock::Bind> parse_bind(std::string_view text, const std::string& directory) {
  const auto first = text.find(':');
  if (first == std::string_view::npos || first == 0)
    return refuse_option("--volume", text, std::string{bind_hint});
  const auto second = text.find(':', first + 1);
  sock::Bind bind{.source = std::string{text.substr(0, first)},
                  .target = std::string{text.substr(
                      first + 1, second == std::string_view::npos ? second : second - first - 1)}};
  const auto mode =
      second == std::string_view::npos ? std::string_view{"ro"} : text.substr(second + 1);
  if (!bind.target.starts_with('/') || (mode != "ro" && mode != "rw"))
    return refuse_option("--volume", text, std::string{bind_hint});
  if (!bind.source.starts_with('/')) bind.source = directory + "/" + bind.source;
  bind.access = mode == "rw" ? sock::Access::read_write : sock::Access::read_only;
  return bind;
}

Result<sock::Tmpfs> parse_tmpfs(std::string_view text) {
  const auto colon = text.find(':');
  sock::Tmpfs tmpfs{.target = std::string{text.substr(0, colon)}};
  if (!tmpfs.target.starts_with('/'))
    return refuse_option("--tmpfs", text, "an absolute path, like /scratch:size=64m");
  auto rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    SOCKCTL_TRY(set_tmpfs_option(tmpfs, rest.substr(0, comma), text));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return tmpfs;
}

Result<NetworkChoice> parse_network(std::string_view text) {
  using Kind = sock::Network::Kind;
  if (text == "isolated") return NetworkChoice{.kind = Kind::isolated};
  if (text == "loopback") return NetworkChoice{.kind = Kind::loopback};
  if (text == "host") return NetworkChoice{.kind = Kind::host};
  if (text.starts_with('/')) return NetworkChoice{.kind = Kind::join, .path = std::string{text}};
  int fd = -1;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), fd);
  // 0 to 2 are sockctl's own stdio.
  if (problem == std::errc{} && end == text.data() + text.size() && fd > 2)
    return NetworkChoice{.kind = Kind::join, .fd = fd};
  return refuse_option("--net", text,
                       "isolated, loopback, host, a descriptor's number or /path/to/netns");
}

}  // namespace sockctl
