// Packages for people and machines.

#include "package_json.hpp"

#include <nlohmann/json.hpp>

#include "image_json.hpp"
#include "listing.hpp"
#include "report.hpp"

namespace sockctl {

nlohmann::json to_json(const sock::CachedPackage& package) {
  return {{"name", package.package.name},
          {"version", package.package.version},
          {"abi", package.abi},
          {"digest", package.digest},
          {"kind", to_string(package.kind)},
          {"origin", package.origin},
          {"dependencies", package.dependencies},
          {"provides", package.provides},
          {"compiled", package.compiled},
          {"added", time_text(package.added)},
          {"bytes", package.bytes},
          {"entries", package.entries}};
}

Result<> print_packages(Format format, const std::vector<sock::CachedPackage>& packages) {
  auto objects = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& package : packages) {
    objects.push_back(to_json(package));
    rows.push_back({package.package.name, package.package.version, package.abi,
                    std::string{to_string(package.kind)}, std::to_string(package.entries),
                    human_size(package.bytes), time_text(package.added)});
  }
  constexpr auto right = Column::Align::right;
  return print_list(
      format, objects,
      {{"NAME"}, {"VERSION"}, {"ABI"}, {"FROM"}, {"FILES", right}, {"SIZE", right}, {"ADDED"}},
      rows);
}

}  // namespace sockctl
