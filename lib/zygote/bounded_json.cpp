// nlohmann-json with bounds. Its parser keeps its own stack, so depth costs memory and not ours;
// what is too deep is dropped while it is read, and then refused.

#include "zygote/bounded_json.hpp"

#include "base/try.hpp"

namespace sock::zygote {

std::unexpected<Error> corrupt(std::string what, std::string why) {
  return base::refuse(Errc::corrupt, Stage::validate, std::move(what), std::move(why));
}

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
  return member != value.end() ? &*member : nullptr;
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
  const auto* member = find_member(value, name);
  if (member == nullptr) return texts;
  if (!member->is_array()) return corrupt(what, std::string{"\""} + name + "\" is no list");
  for (const auto& item : *member) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr) return corrupt(what, std::string{"\""} + name + "\" holds no text");
    texts.push_back(*text);
  }
  return texts;
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
