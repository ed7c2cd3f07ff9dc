#pragma once

// JSON of an image or of the store. Whatever is not as it must be is Errc::corrupt, with the
// document as subject.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bounded_json.hpp"
#include "base/try.hpp"
#include "image/stage.hpp"
#include "store/stage.hpp"

namespace sock::image {

using base::find_member;
using store::corrupt;

/// A JSON object or array of at most `limit` bytes; beyond that, Errc::exhausted.
Result<nlohmann::json> parse_document(std::string_view text, std::uint64_t limit,
                                      const std::string& what);

/// As those of base, in this part's stage.
inline Result<std::string> text_of(const nlohmann::json& value, const char* name,
                                   const std::string& what) {
  return base::in_stage(image_stage, base::text_of(value, name, what));
}
inline Result<std::vector<std::string>> texts_of(const nlohmann::json& value, const char* name,
                                                 const std::string& what) {
  return base::in_stage(image_stage, base::texts_of(value, name, what));
}
inline Result<std::uint64_t> number_of(const nlohmann::json& value, const char* name,
                                       const std::string& what) {
  return base::in_stage(image_stage, base::number_of(value, name, what));
}
inline Result<nlohmann::json> list_of(const nlohmann::json& value, const char* name,
                                      const std::string& what) {
  return base::in_stage(image_stage, base::list_of(value, name, what));
}

}  // namespace sock::image
