// Each area is a line as in /proc/PID/maps, then lines "Key: value", of which one is wanted.

#include "checkpoint/memory_areas.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <sys/mman.h>

#include "base/try.hpp"

namespace sock::checkpoint {
namespace {

/// Cuts the next word off.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::optional<MemoryArea> parse_header(std::string_view line) {
  const auto range = next_word(line);
  const auto mode = next_word(line);
  const auto offset = hexadecimal(next_word(line));
  const auto device = next_word(line);
  const auto inode = next_word(line);
  const auto dash = range.find('-');
  if (dash == std::string_view::npos || mode.size() != 4 || !offset || inode.empty()) return {};
  const auto begin = hexadecimal(range.substr(0, dash));
  const auto end = hexadecimal(range.substr(dash + 1));
  if (!begin || !end || *begin >= *end) return {};
  MemoryArea area{.begin = *begin,
                  .end = *end,
                  .protection = (mode[0] == 'r' ? PROT_READ : 0) |
                                (mode[1] == 'w' ? PROT_WRITE : 0) |
                                (mode[2] == 'x' ? PROT_EXEC : 0),
                  .is_shared = mode[3] == 's',
                  .offset = *offset,
                  .file = {},
                  .name = {},
                  .flags = {}};
  if (inode != "0") area.file = std::string{device} + " " + std::string{inode};
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  area.name = std::string{line};
  return area;
}

// Whole pages, one area after the other.
bool follows(const MemoryArea& area, const std::vector<MemoryArea>& areas) {
  constexpr std::uint64_t page_size = 4096;
  return area.begin < area.end && area.begin % page_size == 0 && area.end % page_size == 0 &&
         (areas.empty() || areas.back().end <= area.begin);
}

bool is_key(std::string_view line) {
  const auto word = line.substr(0, line.find(' '));
  return word.ends_with(':') && !word.empty() && word.front() >= 'A' && word.front() <= 'Z';
}

}  // namespace

bool MemoryArea::has(std::string_view flag) const noexcept {
  return std::ranges::find(flags, flag) != flags.end();
}

Result<std::vector<MemoryArea>> parse_smaps(std::string_view text) {
  std::vector<MemoryArea> areas;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!is_key(line)) {
      auto area = parse_header(line);
      if (!area || !follows(*area, areas))
        return base::refuse(Errc::corrupt, Stage::checkpoint, "smaps",
                            "not as the kernel writes it: " + std::string{line});
      areas.push_back(std::move(*area));
    } else if (!areas.empty() && line.starts_with("VmFlags:")) {
      next_word(line);
      for (auto word = next_word(line); !word.empty(); word = next_word(line))
        areas.back().flags.emplace_back(word);
    }
  }
  return areas;
}

}  // namespace sock::checkpoint
