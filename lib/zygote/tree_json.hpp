#pragma once

// JSON of import trees, costs and workloads: from files that may be hostile.

#include <string>
#include <string_view>
#include <vector>

#include "sock/import_tree.hpp"

#include "base/bounded_json.hpp"
#include "base/try.hpp"

namespace sock::zygote {

using base::find_member;
using base::JsonBounds;

std::unexpected<Error> corrupt(std::string what, std::string why);
Result<nlohmann::json> parse_json(std::string_view text, JsonBounds bounds,
                                  const std::string& what);
/// As those of base, in this part's stage.
inline Result<std::string> text_of(const nlohmann::json& value, const char* name,
                                   const std::string& what) {
  return base::in_stage(Stage::validate, base::text_of(value, name, what));
}
inline Result<std::vector<std::string>> texts_of(const nlohmann::json& value, const char* name,
                                                 const std::string& what) {
  return base::in_stage(Stage::validate, base::texts_of(value, name, what));
}
/// The member as a list of packages; empty when it is missing.
Result<std::vector<Package>> packages_of(const nlohmann::json& value, const char* name,
                                         const std::string& what);

}  // namespace sock::zygote
