// The values of sockctl's options, against plain arithmetic. Input: which option, then its text.

#include <algorithm>
#include <csignal>

#include "input.hpp"
#include "sockctl/parse.hpp"

namespace sock::fuzz {
namespace {

using namespace sockctl;

constexpr std::size_t digits_of_any = 30;  // Of a number that 128 bits hold.

// Wider than any number that is taken.
using Wide = unsigned __int128;

void size(std::string_view text) {
  const auto taken = parse_size("--memory", text);
  if (!taken) return;
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits > digits_of_any) return;  // Zeros in front.
  Wide value = 0;
  for (const char c : text.substr(0, digits)) value = value * 10 + static_cast<unsigned>(c - '0');
  const std::string_view suffixes = "bkmgt";
  const char suffix = digits < text.size() ? static_cast<char>(text[digits] | 0x20) : 'b';
  value <<= 10 * suffixes.find(suffix);
  expect(value == *taken, "a size is its number times its unit");
}

void duration(std::string_view text) {
  if (const auto taken = parse_duration("--wall", text))
    expect(taken->count() >= 1 && taken->count() <= 1'000'000'000'000, "a duration is useful");
  if (const auto taken = parse_cpus(text))
    expect(taken->count() >= 1000, "a quota is one that the kernel takes");
}

void ids(std::string_view text) {
  constexpr std::uint32_t none = 0xffff'ffff;
  if (const auto user = parse_user(text))
    expect(user->uid != none && user->gid != none, "an id is one");
  if (const auto range = parse_id_range(text))
    expect(range->count > 0 && range->inside != none, "a range is one");
}

void mounts(std::string_view text) {
  if (const auto bind = parse_bind(text, "/d"))
    expect(bind->source.starts_with('/') && bind->target.starts_with('/'), "binds are absolute");
  if (const auto tmpfs = parse_tmpfs(text))
    expect(tmpfs->target.starts_with('/') && tmpfs->mode <= 07777, "a tmpfs is absolute");
}

void names(std::string_view text) {
  if (const auto signal = parse_signal(text)) {
    expect(*signal >= 1 && *signal <= SIGRTMAX, "a signal is one");
    expect(parse_signal(signal_name(*signal)).value() == *signal, "a signal has its name");
  }
  if (const auto capability = parse_capability(text))
    expect(parse_capability(*capability).value() == *capability, "a capability is its name");
  static_cast<void>(parse_network(text).has_value() || parse_filter(text).has_value() ||
                    parse_backend(text).has_value() || parse_pids(text).has_value() ||
                    parse_rlimit(text).has_value());
  if (check_name(text)) expect(text.find_first_of("/\n") == text.npos, "a name is no path");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock::fuzz;
  Input input{data, size};
  constexpr void (*options[])(std::string_view) = {sock::fuzz::size, duration, ids, mounts, names};
  options[input.choice(std::size(options))](input.rest());
  return 0;
}
