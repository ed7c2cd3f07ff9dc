// What people write for a source. Pure.

#include <algorithm>

#include "sock/package_cache.hpp"

#include "base/try.hpp"

namespace sock {

std::string_view to_string(PackageSource::Kind kind) noexcept {
  switch (kind) {
    case PackageSource::Kind::wheel:
      return "wheel";
    case PackageSource::Kind::directory:
      return "directory";
    case PackageSource::Kind::deb:
      return "deb";
    case PackageSource::Kind::command:
      return "command";
  }
  return "unknown";
}

Result<PackageSource> PackageSource::parse(std::string_view text) {
  constexpr std::string_view directory = "dir:";
  constexpr std::string_view deb = "deb:";
  if (text.starts_with(directory) && text.size() > directory.size())
    return PackageSource{.kind = Kind::directory,
                         .paths = {std::string{text.substr(directory.size())}}};
  if (text.ends_with(".whl"))
    return PackageSource{.kind = Kind::wheel, .paths = {std::string{text}}};
  const bool is_marked = text.starts_with(deb);
  if (!is_marked && !text.ends_with(".deb"))
    return base::refuse(Errc::invalid_spec, Stage::validate,
                        "package source '" + std::string{text} + "'",
                        "FILE.whl, dir:DIR or deb:FILE[,FILE...]");
  PackageSource source{.kind = Kind::deb, .paths = {}};
  for (auto rest = text.substr(is_marked ? deb.size() : 0); !rest.empty();) {
    source.paths.emplace_back(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), source.paths.back().size() + 1));
  }
  return source;
}

}  // namespace sock
