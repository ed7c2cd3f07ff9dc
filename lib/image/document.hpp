#pragma once

// JSON of an image or of the store: bounded in bytes and depth, read without exceptions. Whatever
// is not as it must be is Errc::corrupt, with the document as subject.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sock/result.hpp"

namespace sock::image {

std::unexpected<Error> corrupt(std::string what, std::string why);

/// A JSON object or array of at most `limit` bytes.
Result<nlohmann::json> parse_document(std::string_view text, std::uint64_t limit,
                                      const std::string& what);

/// The member of an object; null when it is missing or null, or `value` is no object.
const nlohmann::json* find_member(const nlohmann::json& value, const char* name) noexcept;
/// Empty when it is missing.
Result<std::string> text_of(const nlohmann::json& value, const char* name, const std::string& what);
Result<std::vector<std::string>> texts_of(const nlohmann::json& value, const char* name,
                                          const std::string& what);
/// 0 when it is missing.
Result<std::uint64_t> number_of(const nlohmann::json& value, const char* name,
                                const std::string& what);
/// Empty (an empty array) when it is missing.
Result<nlohmann::json> list_of(const nlohmann::json& value, const char* name,
                               const std::string& what);

}  // namespace sock::image
