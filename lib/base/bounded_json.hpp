#pragma once

// JSON that may be hostile: bounded in bytes and in depth, and read without exceptions. What is not
// as it must be is Errc::corrupt with the document as subject; the stage is the caller's to name.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sock/result.hpp"

namespace sock::base {

struct JsonBounds {
  std::size_t bytes;
  int depth;
};

Result<nlohmann::json> parse_json(std::string_view text, JsonBounds bounds,
                                  const std::string& what);

/// The member of an object; null when it is missing or null, or `value` is no object.
const nlohmann::json* find_member(const nlohmann::json& value, const char* name) noexcept;
/// The member as text, number or list; empty or 0 when it is missing.
Result<std::string> text_of(const nlohmann::json& value, const char* name, const std::string& what);
Result<std::uint64_t> number_of(const nlohmann::json& value, const char* name,
                                const std::string& what);
Result<nlohmann::json> list_of(const nlohmann::json& value, const char* name,
                               const std::string& what);
Result<std::vector<std::string>> texts_of(const nlohmann::json& value, const char* name,
                                          const std::string& what);

}  // namespace sock::base
