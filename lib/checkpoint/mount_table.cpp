// Reading /proc/PID/mountinfo.

#include "checkpoint/mount_table.hpp"

#include <algorithm>
#include <charconv>

#include "base/try.hpp"

namespace sock::checkpoint {
namespace {

struct Mount {
  std::string place;
  std::string type;
};

/// "\040" for a space, and so on: what the kernel writes for bytes that would break the line.
std::string unescaped(std::string_view text) {
  std::string plain;
  constexpr std::size_t digits = 3;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned char byte = 0;
    const char* const end = text.data() + std::min(at + 1 + digits, text.size());
    if (text[at] == '\\' && std::from_chars(text.data() + at + 1, end, byte, 8).ptr == end) {
      plain += static_cast<char>(byte);
      at += digits;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

// "49 59 0:39 / /tmp ro,nosuid - tmpfs none rw": the place is the fifth word, the type the one
// after the dash.
Mount parse_line(std::string_view line) {
  Mount mount;
  bool after_dash = false;
  for (int word_number = 0; !line.empty(); ++word_number) {
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    if (word_number == 4) mount.place = unescaped(word);
    if (after_dash) {
      mount.type = word;
      return mount;
    }
    after_dash = word == "-" && word_number > 4;
  }
  return mount;
}

}  // namespace

Result<std::vector<std::string>> places_to_stitch(std::string_view mountinfo) {
  std::vector<std::string> all;
  std::vector<std::string> stitched;
  while (!mountinfo.empty()) {
    const auto line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    const Mount mount = parse_line(line);
    if (std::ranges::find(all, mount.place) != all.end())
      return base::refuse(Errc::unsupported, Stage::checkpoint, "mount " + mount.place,
                          "it hides another one, which no snapshot can hold");
    all.push_back(mount.place);
    if (mount.type != "proc") stitched.push_back(mount.place);
  }
  std::ranges::sort(stitched);  // "/" first.
  return stitched;
}

}  // namespace sock::checkpoint
