// Lists of what to prefetch, as text.

#include "image/prefetch_list.hpp"

#include "base/try.hpp"
#include "store/entry_path.hpp"
#include "store/escaped_text.hpp"
#include "store/stage.hpp"

namespace sock::image {
namespace {

using store::Lines;
using store::Words;

constexpr std::string_view first_word = "sock-prefetch";
// No file is so long; sums of a range's ends cannot overflow.
constexpr std::uint64_t offset_max = 1ULL << 62U;

std::unexpected<Error> damaged() {
  return store::corrupt("prefetch list", "it is damaged, or written by something else");
}

Result<std::string> take_text(Words& words) {
  auto text = store::unescape(words.word());
  if (!text) return damaged();
  return std::move(*text);
}

Result<std::vector<std::string>> parse_command(std::string_view line) {
  Words words{line};
  if (words.word() != "c") return damaged();
  std::vector<std::string> command;
  while (!words.at_end()) command.push_back(SOCK_TRY(take_text(words)));
  if (command.empty() || !words.ended_well()) return damaged();
  return command;
}

Result<loader::FileRanges> parse_file(std::string_view line) {
  Words words{line};
  if (words.word() != "f") return damaged();
  loader::FileRanges file;
  file.path = SOCK_TRY(take_text(words));
  const auto clean = store::clean_entry_path(file.path, {});
  if (!clean.has_value() || *clean != file.path) return damaged();
  for (std::uint64_t end = 0; !words.at_end();) {
    const auto offset = words.number<std::uint64_t>();
    const auto length = words.number<std::uint64_t>();
    if (offset < end || length == 0 || offset > offset_max || length > offset_max) return damaged();
    file.ranges.push_back({offset, length});
    end = offset + length;
  }
  if (file.ranges.empty() || !words.ended_well()) return damaged();
  return file;
}

}  // namespace

std::uint64_t PrefetchList::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files)
    for (const auto& range : file.ranges) sum += range.length;
  return sum;
}

std::string PrefetchList::to_text() const {
  std::string text = store::head_line(first_word, files.size()) + 'c';
  for (const auto& argument : command) text += ' ' + store::escape(argument);
  text += '\n';
  for (const auto& file : files) {
    text += "f " + store::escape(file.path);
    for (const auto& range : file.ranges)
      text += ' ' + std::to_string(range.offset) + ' ' + std::to_string(range.length);
    text += '\n';
  }
  return text + "s " + store::Digest::of(text).hex() + '\n';
}

Result<PrefetchList> PrefetchList::parse(std::string_view text) {
  Lines lines{text};
  const auto count = store::count_in_head(lines.next(), first_word);
  const auto command = lines.next();
  if (!count || !command) return damaged();
  PrefetchList list;
  list.command = SOCK_TRY(parse_command(*command));
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto line = lines.next();
    if (!line) return damaged();
    list.files.push_back(SOCK_TRY(parse_file(*line)));
  }
  const auto summed = text.substr(0, text.size() - lines.rest().size());
  if (lines.rest() != "s " + store::Digest::of(summed).hex() + '\n') return damaged();
  return list;
}

store::Digest prefetch_key(const std::vector<std::string>& command) {
  std::string joined;
  for (const auto& argument : command) joined += argument + '\0';
  return store::Digest::of(joined);
}

}  // namespace sock::image
