// Documents are objects or lists, within the limits of an import.

#include "image/document.hpp"

namespace sock::image {

Result<nlohmann::json> parse_document(std::string_view text, std::uint64_t limit,
                                      const std::string& what) {
  constexpr int most_depth = 32;
  if (text.size() > limit)
    return base::refuse(Errc::exhausted, image_stage, what,
                        "beyond the limit of an import: document_max");
  auto value = SOCK_TRY(base::in_stage(
      image_stage, base::parse_json(text, {.bytes = text.size(), .depth = most_depth}, what)));
  if (!value.is_structured()) return corrupt(what, "neither an object nor a list");
  return value;
}

}  // namespace sock::image
