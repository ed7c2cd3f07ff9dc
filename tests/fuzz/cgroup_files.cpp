// The texts of the kernel about mounts, cgroups and memory. Input: which of them, then its text.

#include "input.hpp"
#include "isolation/cgroup/counters.hpp"
#include "isolation/cgroup/flat_keyed.hpp"
#include "isolation/cgroup/layout.hpp"
#include "sys/process_memory.hpp"

namespace sock::fuzz {
namespace {

// As the kernel writes a path into mountinfo.
std::string escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
      constexpr std::size_t longest = 5;
      char octal[longest];
      std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(c));
      out += octal;
    } else {
      out += c;
    }
  }
  return out;
}

// Texts of unknown origin: no more than a bounded amount of sense is made of them.
void read_anything(Input& input) {
  const std::string own{input.line()};
  const auto layout = isolation::parse_layout(input.rest(), own + "\n0::/");
  if (layout.v2) static_cast<void>(isolation::group_directory(*layout.v2, ""));
  for (const auto& hierarchy : layout.v1)
    static_cast<void>(isolation::group_directory(hierarchy, own));
}

// Truth, written down by the rules of the kernel, is read as what it is.
void read_truth(Input& input) {
  const std::string source = input.text();
  const std::string point = "/" + input.text();
  const std::string below = "/" + input.text();
  if ((point + below + source).find('\0') != std::string::npos) return;
  const std::string mount = "22 1 0:21 / " + escaped(point) + " rw shared:4 - cgroup2 " +
                            escaped(source) + " rw,nsdelegate\n";
  // The kernel escapes a line's end in a cgroup's path, and nothing reads it back.
  if (below.find_first_of("\n\\") != std::string::npos) return;
  const auto layout = isolation::parse_layout(mount, "0::" + below + "\n");
  expect(layout.v2 && layout.v2->mount_point == point, "a mount point is read as it is");
  expect(layout.v2->own == below && layout.v2->mount_root == "/", "so is our own group");
}

void read_counters(std::string_view text) {
  Stats stats = isolation::parse_cpu_stat_v2(text);
  isolation::merge(stats, isolation::parse_cpu_stat_v1(text));
  if (const auto number = isolation::parse_number(text)) {
    const std::string again = std::to_string(*number);
    expect(text.find(again) != std::string_view::npos, "a number is the one that stands there");
  }
  static_cast<void>(sys::parse_smaps_rollup(text));
  if (isolation::find_value(text, "populated"))
    expect(text.find("populated ") != std::string_view::npos, "a value has its key");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sock::fuzz::Input input{data, size};
  switch (input.choice(3)) {
    case 0:
      sock::fuzz::read_anything(input);
      break;
    case 1:
      sock::fuzz::read_truth(input);
      break;
    default:
      sock::fuzz::read_counters(input.rest());
  }
  return 0;
}
