#pragma once

// JSON from files that may be hostile: bounded in bytes and in depth, and read without exceptions.

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sock/import_tree.hpp"

namespace sock::zygote {

struct JsonBounds {
  std::size_t bytes;
  int depth;
};

/// On failure: Errc::corrupt with `what` as subject.
Result<nlohmann::json> parse_json(std::string_view text, JsonBounds bounds,
                                  const std::string& what);

/// The member of an object, or null when it is missing or `value` is no object.
const nlohmann::json* find_member(const nlohmann::json& value, const char* name) noexcept;
/// The member as text; empty when it is missing. Something else than text is Errc::corrupt.
Result<std::string> text_of(const nlohmann::json& value, const char* name, const std::string& what);
/// The member as a list of texts; empty when it is missing.
Result<std::vector<std::string>> texts_of(const nlohmann::json& value, const char* name,
                                          const std::string& what);
/// The member as a list of packages.
Result<std::vector<Package>> packages_of(const nlohmann::json& value, const char* name,
                                         const std::string& what);
std::unexpected<Error> corrupt(std::string what, std::string why);

}  // namespace sock::zygote
