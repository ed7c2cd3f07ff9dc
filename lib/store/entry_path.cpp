// Paths of entries: cleaning, whiteouts, and which attributes are kept.

#include "store/entry_path.hpp"

#include "base/try.hpp"
#include "store/stage.hpp"

namespace sock::store {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view bookkeeping_prefix = ".wh..wh.";
constexpr std::string_view opaque_name = ".wh..wh..opq";

std::string entry_named(std::string_view path) {
  return "entry '" + std::string{path.substr(0, 300)} + "'";
}

std::unexpected<Error> corrupt_path(std::string_view path, std::string why) {
  return base::refuse(Errc::corrupt, store_stage, entry_named(path), std::move(why));
}

std::unexpected<Error> beyond(std::string_view path, std::string limit) {
  return base::refuse(Errc::exhausted, store_stage, entry_named(path),
                      "beyond the limit of an import: " + std::move(limit));
}

}  // namespace

Result<std::string> clean_entry_path(std::string_view raw, const ImportLimits& limits) {
  if (raw.empty()) return corrupt_path(raw, "an empty path");
  if (raw.size() > limits.path_max) return beyond(raw, "path_max");
  if (raw.find('\0') != std::string_view::npos) return corrupt_path(raw, "a NUL in its path");
  std::string clean;
  std::uint32_t depth = 0;
  for (auto rest = raw; !rest.empty();) {
    const auto component = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), component.size() + 1));
    if (component.empty() || component == ".") continue;
    if (component == "..") return corrupt_path(raw, "it leads out of its directory");
    if (component.size() > limits.name_max) return beyond(raw, "name_max");
    if (depth++ > limits.depth_max) return beyond(raw, "depth_max");
    if (!clean.empty()) clean += '/';
    clean += component;
  }
  return clean;
}

Result<EntryDecision> decide_entry(std::string_view raw, const ImportLimits& limits) {
  using Action = EntryDecision::Action;
  std::string path = SOCK_TRY(clean_entry_path(raw, limits));
  const std::string parent{parent_of(path)};
  const std::string name{last_of(path)};
  for (std::string_view rest = parent; !rest.empty();) {
    const auto component = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), component.size() + 1));
    if (component.starts_with(bookkeeping_prefix)) return EntryDecision{Action::ignore, {}};
    if (component.starts_with(whiteout_prefix)) return corrupt_path(raw, "it lies in a whiteout");
  }
  if (name == opaque_name) return EntryDecision{Action::opaque, parent};
  if (name.starts_with(bookkeeping_prefix)) return EntryDecision{Action::ignore, {}};
  if (!name.starts_with(whiteout_prefix)) return EntryDecision{Action::place, std::move(path)};
  const auto victim = name.substr(whiteout_prefix.size());
  if (victim.empty() || victim == "." || victim == "..")
    return corrupt_path(raw, "a whiteout of no name");
  return EntryDecision{Action::whiteout, parent.empty() ? victim : parent + "/" + victim};
}

std::string_view parent_of(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view last_of(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool keeps_xattr(std::string_view name) noexcept {
  if (name == "security.capability") return true;
  return name.starts_with("user.") && !name.starts_with("user.overlay.");
}

}  // namespace sock::store
