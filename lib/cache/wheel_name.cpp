// Names in and of wheels.

#include "cache/wheel_name.hpp"

#include <algorithm>
#include <vector>

#include "base/try.hpp"
#include "cache/package_layout.hpp"
#include "store/stage.hpp"

namespace sock::cache {
namespace {

constexpr std::string_view wheel_ending = ".whl";

std::unexpected<Error> no_wheel(std::string_view file) {
  return base::refuse(Errc::invalid_spec, store::store_stage, std::string{file.substr(0, 300)},
                      "a wheel is called NAME-VERSION-PYTHON-ABI-PLATFORM.whl");
}

}  // namespace

Result<WheelName> parse_wheel_name(std::string_view file) {
  if (!file.ends_with(wheel_ending)) return no_wheel(file);
  std::vector<std::string> parts;
  for (auto rest = file.substr(0, file.size() - wheel_ending.size()); !rest.empty();) {
    parts.emplace_back(rest.substr(0, rest.find('-')));
    rest.remove_prefix(std::min(rest.size(), parts.back().size() + 1));
  }
  const bool has_build = parts.size() == 6;
  if (parts.size() != 5 && !has_build) return no_wheel(file);
  if (std::ranges::any_of(parts, &std::string::empty)) return no_wheel(file);
  auto package = Package::parse(parts[0] + "==" + parts[1]);
  if (!package.has_value()) return no_wheel(file);
  const std::size_t tags = has_build ? 3 : 2;
  return WheelName{
      .package = std::move(*package),
      .tags = {.python = parts[tags], .abi = parts[tags + 1], .platform = parts[tags + 2]}};
}

bool is_own_directory(std::string_view name, std::string_view ending, const Package& package) {
  if (!name.ends_with(ending)) return false;
  name.remove_suffix(ending.size());
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos) return false;
  const auto named =
      Package::parse(std::string{name.substr(0, dash)} + "==" + std::string{name.substr(dash + 1)});
  return named.has_value() && *named == package;
}

Result<std::string> place_in_wheel(const std::string& path, const Package& package) {
  const auto in = [](std::string_view directory, std::string_view rest) {
    return std::string{directory}.append(rest);
  };
  const auto top = std::string_view{path}.substr(0, path.find('/'));
  if (!is_own_directory(top, ".data", package)) return in(modules_directory, "/" + path);
  if (path.size() == top.size()) return std::string{};
  const auto inside = std::string_view{path}.substr(top.size() + 1);
  const auto scheme = inside.substr(0, inside.find('/'));
  const auto rest = inside.substr(scheme.size());
  if (scheme == "purelib" || scheme == "platlib") return in(modules_directory, rest);
  if (scheme == "scripts") return in(programs_directory, rest);
  if (scheme == "headers") return in(headers_directory, rest);
  if (scheme == "data") return std::string{rest.substr(rest.empty() ? 0 : 1)};
  return store::corrupt("entry '" + path.substr(0, 300) + "'", "there is no such scheme");
}

}  // namespace sock::cache
