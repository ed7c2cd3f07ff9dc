// Packages in JSON.

#include "zygote/tree_json.hpp"

namespace sock::zygote {

std::unexpected<Error> corrupt(std::string what, std::string why) {
  return base::refuse(Errc::corrupt, Stage::validate, std::move(what), std::move(why));
}

Result<nlohmann::json> parse_json(std::string_view text, base::JsonBounds bounds,
                                  const std::string& what) {
  return base::in_stage(Stage::validate, base::parse_json(text, bounds, what));
}

Result<std::vector<Package>> packages_of(const nlohmann::json& value, const char* name,
                                         const std::string& what) {
  std::vector<Package> packages;
  for (const auto& text : SOCK_TRY(texts_of(value, name, what))) {
    auto package = Package::parse(text);
    if (!package.has_value())
      return corrupt(what + ": " + package.error().subject, package.error().hint);
    packages.push_back(std::move(*package));
  }
  return packages;
}

}  // namespace sock::zygote
