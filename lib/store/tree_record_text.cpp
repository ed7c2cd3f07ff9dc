// Records of trees as text.

#include <array>
#include <charconv>

#include "base/try.hpp"
#include "store/escaped_text.hpp"
#include "store/stage.hpp"
#include "store/tree_record.hpp"

namespace sock::store {
namespace {

constexpr std::string_view first_word = "sock-tree";

std::unexpected<Error> damaged() {
  return corrupt("tree record", "it is damaged, or written by something else");
}

Result<std::string> unescaped(std::string_view word) {
  auto text = unescape(word);
  if (!text) return damaged();
  return std::move(*text);
}

std::string xattrs_text(const std::vector<sys::Xattr>& xattrs) {
  std::string text;
  for (const auto& [name, value] : xattrs) {
    if (!text.empty()) text += ',';
    text += escape(name) + "=" + escape(value);
  }
  return text.empty() ? "-" : text;
}

Result<std::vector<sys::Xattr>> parse_xattrs(std::string_view text) {
  std::vector<sys::Xattr> xattrs;
  if (text == "-") return xattrs;
  while (!text.empty()) {
    const auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) return damaged();
    auto name = SOCK_TRY(unescaped(item.substr(0, equals)));
    auto value = SOCK_TRY(unescaped(item.substr(equals + 1)));
    xattrs.push_back({.name = std::move(name), .value = std::move(value)});
  }
  return xattrs;
}

std::string octal(mode_t mode) {
  std::array<char, 8> digits{};
  const auto [end, problem] = std::to_chars(digits.begin(), digits.end(), mode, 8);
  return {digits.begin(), end};
}

std::string line_of(const std::string& path, const TreeEntry& entry) {
  std::string line{static_cast<char>(entry.kind)};
  line += ' ' + octal(entry.mode);
  for (const auto number : {std::uint64_t{entry.uid}, std::uint64_t{entry.gid}, entry.size})
    line += ' ' + std::to_string(number);
  line += ' ' + std::to_string(entry.mtime.tv_sec) + ' ' + std::to_string(entry.mtime.tv_nsec);
  line += ' ' + std::to_string(entry.device) + ' ' + std::to_string(entry.group);
  line += ' ' + escape(entry.content) + ' ' + xattrs_text(entry.xattrs);
  return line + ' ' + escape(entry.target) + ' ' + escape(path) + '\n';
}

Result<> parse_line(std::string_view line, TreeRecord& record) {
  Words words{line};
  const auto kind = words.word();
  if (kind.size() != 1) return damaged();
  if (kind == "w" || kind == "o") {
    auto path = SOCK_TRY(unescaped(words.word()));
    (kind == "w" ? record.whiteouts : record.opaques).push_back(std::move(path));
    return words.ended_well() ? Result<>{} : damaged();
  }
  if (std::string_view{"diflpcb"}.find(kind[0]) == std::string_view::npos) return damaged();
  TreeEntry entry{.kind = static_cast<TreeEntry::Kind>(kind[0])};
  entry.mode = words.number<mode_t>(8);
  entry.uid = words.number<uid_t>();
  entry.gid = words.number<gid_t>();
  entry.size = words.number<std::uint64_t>();
  entry.mtime.tv_sec = words.number<time_t>();
  entry.mtime.tv_nsec = words.number<long>();
  entry.device = words.number<std::uint64_t>();
  entry.group = words.number<std::uint64_t>();
  entry.content = SOCK_TRY(unescaped(words.word()));
  entry.xattrs = SOCK_TRY(parse_xattrs(words.word()));
  entry.target = SOCK_TRY(unescaped(words.word()));
  auto path = SOCK_TRY(unescaped(words.word()));
  if (!words.ended_well()) return damaged();
  if (!record.entries.emplace(std::move(path), std::move(entry)).second) return damaged();
  return {};
}

}  // namespace

std::string TreeRecord::to_text() const {
  const auto count = entries.size() + whiteouts.size() + opaques.size();
  std::string text = head_line(first_word, count);
  for (const auto& path : opaques) text += "o " + escape(path) + '\n';
  for (const auto& path : whiteouts) text += "w " + escape(path) + '\n';
  for (const auto& [path, entry] : entries) text += line_of(path, entry);
  return text;
}

Result<TreeRecord> TreeRecord::parse(std::string_view text) {
  Lines lines{text};
  const auto count = count_in_head(lines.next(), first_word);
  if (!count) return damaged();
  TreeRecord record;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto line = lines.next();
    if (!line) return damaged();
    SOCK_TRY(parse_line(*line, record));
  }
  if (!lines.rest().empty()) return damaged();
  return record;
}

}  // namespace sock::store
