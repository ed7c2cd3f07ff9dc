// What the kernel tells of this machine, and comparing two of them.

#include "checkpoint/machine.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/probe.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::size_t most_cpuinfo = 16U << 20U;

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = trimmed(text)).empty()) {
    const auto word = text.substr(0, text.find(' '));
    words.emplace_back(word);
    text.remove_prefix(word.size());
  }
  return words;
}

}  // namespace

std::vector<std::string> parse_cpu_features(std::string_view cpuinfo) {
  while (!cpuinfo.empty()) {
    const auto line = cpuinfo.substr(0, cpuinfo.find('\n'));
    cpuinfo.remove_prefix(line.size() < cpuinfo.size() ? line.size() + 1 : cpuinfo.size());
    const auto colon = line.find(':');
    const auto name = trimmed(line.substr(0, colon));
    if (name != "flags" && name != "Features") continue;
    auto words = words_of(line.substr(std::min(colon, line.size() - 1) + 1));
    std::ranges::sort(words);
    return words;
  }
  return {};
}

Result<Machine> this_machine() {
  const auto kernel = sys::kernel_name();
  const auto cpuinfo = SOCK_TRY(sys::read_file(sys::cwd, "/proc/cpuinfo", most_cpuinfo));
  return Machine{.kernel = kernel.release,
                 .architecture = kernel.machine,
                 .cpu_features = parse_cpu_features(cpuinfo)};
}

Result<> require_compatible(const Machine& written_on, const Machine& here) {
  const auto refuse = [](std::string subject, std::string why) {
    return base::refuse(Errc::unsupported, Stage::checkpoint, std::move(subject), std::move(why));
  };
  if (written_on.architecture != here.architecture)
    return refuse("architecture " + written_on.architecture,
                  "this machine is " + here.architecture);
  std::vector<std::string> missing;
  std::ranges::set_difference(written_on.cpu_features, here.cpu_features,
                              std::back_inserter(missing));
  if (missing.empty()) return {};
  return refuse("processor feature " + missing.front(),
                "the snapshot was written where it is, and its processes may use it");
}

}  // namespace sock::checkpoint
