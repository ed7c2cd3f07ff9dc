// nlohmann-json with bounds. Its parser keeps its own stack, so depth costs memory and not ours;
// what is too deep is dropped while it is read, and then refused.

#include "base/bounded_json.hpp"

#include "base/try.hpp"

namespace sock::base {
namespace {

std::unexpected<Error> corrupt(std::string what, std::string why) {
  return refuse(Errc::corrupt, Stage::none, std::move(what), std::move(why));
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, JsonBounds bounds,
                                  const std::string& what) {
  if (text.size() > bounds.bytes) return corrupt(what, "the file is too large");
  bool too_deep = false;
  const auto within_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > bounds.depth;
    return !too_deep;
  };
  auto value = nlohmann::json::parse(text, within_depth, false);
  if (too_deep) return corrupt(what, "nested too deeply");
  if (value.is_discarded()) return corrupt(what, "not JSON");
  return value;
}

const nlohmann::json* find_member(const nlohmann::json& value, const char* name) noexcept {
  if (!value.is_object()) return nullptr;
  const auto member = value.find(name);
  return member != value.end() && !member->is_null() ? &*member : nullptr;
}

Result<std::string> text_of(const nlohmann::json& value, const char* name,
                            const std::string& what) {
  const auto* member = find_member(value, name);
  if (member == nullptr) return std::string{};
  const auto* text = member->get_ptr<const std::string*>();
  if (text == nullptr) return corrupt(what, std::string{"\""} + name + "\" is no text");
  return *text;
}

Result<std::vector<std::string>> texts_of(const nlohmann::json& value, const char* name,
                                          const std::string& what) {
  std::vector<std::string> texts;
  for (const auto& item : SOCK_TRY(list_of(value, name, what))) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr) return corrupt(what, std::string{"\""} + name + "\" holds no text");
    texts.push_back(*text);
  }
  return texts;
}

Result<std::uint64_t> number_of(const nlohmann::json& value, const char* name,
                                const std::string& what) {
  const auto* member = find_member(value, name);
  if (member == nullptr) return std::uint64_t{0};
  const auto* number = member->get_ptr<const nlohmann::json::number_unsigned_t*>();
  if (number == nullptr) return corrupt(what, std::string{"\""} + name + "\" is no size");
  return *number;
}

Result<nlohmann::json> list_of(const nlohmann::json& value, const char* name,
                               const std::string& what) {
  const auto* member = find_member(value, name);
  if (member == nullptr) return nlohmann::json::array();
  if (!member->is_array()) return corrupt(what, std::string{"\""} + name + "\" is no list");
  return *member;
}

}  // namespace sock::base
