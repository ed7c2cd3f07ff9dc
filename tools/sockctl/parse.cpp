// Plain values: numbers, sizes, durations, names. The compound ones are in parse_mounts.cpp.

#include "parse.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>

namespace sockctl {
namespace {

constexpr std::string_view digits = "0123456789";

template <class T>
std::optional<T> whole(std::string_view text) {
  T value{};
  if (text.empty() || text.find_first_not_of(digits) != std::string_view::npos) return {};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// Digits and one dot only: no sign, exponent, "inf" or "nan".
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return {};
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// A number that fits an id and is not the "no change" value of setuid().
std::optional<std::uint32_t> id_number(std::string_view text) {
  const auto id = whole<std::uint32_t>(text);
  return id && *id != std::numeric_limits<std::uint32_t>::max() ? id : std::nullopt;
}

// How many bits a size's suffix shifts by.
std::optional<unsigned> size_shift(std::string_view suffix) {
  if (suffix.empty() || suffix == "b" || suffix == "B") return 0;
  const std::string_view units = "kmgt";
  const auto unit = units.find(lower(suffix.front()));
  const auto rest = suffix.substr(1);
  const bool known = rest.empty() || rest == "b" || rest == "B" || rest == "ib" || rest == "iB";
  if (unit == std::string_view::npos || !known) return {};
  return 10U * (static_cast<unsigned>(unit) + 1U);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view option, std::string_view text) {
  const auto end = std::min(text.find_first_not_of(digits), text.size());
  const auto number = whole<std::uint64_t>(text.substr(0, end));
  const auto shift = size_shift(text.substr(end));
  const bool fits =
      number && shift && *number <= std::numeric_limits<std::uint64_t>::max() >> (*shift + 1);
  if (!fits) return refuse_option(option, text, "a size is like 64m, 1g or 4096");
  return *number << *shift;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view option, std::string_view text) {
  const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = decimal(text.substr(0, end));
  const std::string_view unit = text.substr(end);
  const double factor = unit == "ms"                  ? 1
                        : unit.empty() || unit == "s" ? 1e3
                        : unit == "m"                 ? 60e3
                        : unit == "h"                 ? 3600e3
                                                      : 0;
  const double milliseconds = std::ceil(number.value_or(0) * factor);
  // About 30 years: far above any use, far below an overflow.
  if (!number || milliseconds < 1 || milliseconds > 1e12)
    return refuse_option(option, text, "a duration is like 1.5s, 200ms or 2m");
  return std::chrono::milliseconds{static_cast<std::int64_t>(milliseconds)};
}

Result<std::chrono::microseconds> parse_cpus(std::string_view text) {
  const auto number = decimal(text);
  // The kernel's smallest quota is 1 ms; 100 ms is the period.
  if (!number || *number < 0.01 || *number > 100'000)
    return refuse_option("--cpus", text, "a number of processors is like 0.5 or 2");
  return std::chrono::microseconds{static_cast<std::int64_t>(std::llround(*number * 100'000))};
}

Result<std::optional<std::uint32_t>> parse_pids(std::string_view text) {
  if (text == "max") return std::optional<std::uint32_t>{};
  const auto number = whole<std::uint32_t>(text);
  if (!number || *number == 0) return refuse_option("--pids", text, "a number, or max");
  return number;
}

Result<User> parse_user(std::string_view text) {
  const auto colon = text.find(':');
  const auto uid = id_number(text.substr(0, colon));
  const auto gid = colon == std::string_view::npos ? uid : id_number(text.substr(colon + 1));
  if (!uid || !gid) return refuse_option("--user", text, "numbers like 1000 or 1000:1000");
  return User{.uid = *uid, .gid = *gid};
}

Result<sock::IdRange> parse_id_range(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second != std::string_view::npos) {
    const auto inside = id_number(text.substr(0, first));
    const auto outside = id_number(text.substr(first + 1, second - first - 1));
    const auto count = whole<std::uint32_t>(text.substr(second + 1));
    if (inside && outside && count && *count > 0)
      return sock::IdRange{.inside = *inside, .outside = *outside, .count = *count};
  }
  return refuse_option("--userns", text, "INSIDE:OUTSIDE:COUNT like 0:100000:65536, or auto");
}

Result<sock::Rlimit> parse_rlimit(std::string_view text) {
  const auto equals = text.find('=');
  const auto value = equals == std::string_view::npos
                         ? std::nullopt
                         : whole<std::uint64_t>(text.substr(equals + 1));
  if (equals == 0 || !value)
    return refuse_option("--rlimit", text, "NAME=NUMBER, like nofile=1024");
  return sock::Rlimit{.name = std::string{text.substr(0, equals)}, .value = *value};
}

Result<Filter> parse_filter(std::string_view text) {
  if (text == "handler") return Filter::handler;
  if (text == "strict") return Filter::strict;
  if (text == "unconfined") return Filter::unconfined;
  return refuse_option("--seccomp", text, "one of handler, strict, unconfined");
}

Result<std::optional<sock::LoadEngine>> parse_prefetch(std::string_view text) {
  if (text == "off") return std::nullopt;
  if (text == "auto") return sock::LoadEngine::automatic;
  if (text == "io_uring") return sock::LoadEngine::io_uring;
  if (text == "threads") return sock::LoadEngine::threads;
  return refuse_option("--prefetch", text, "one of auto, off, io_uring, threads");
}

Result<int> parse_signal(std::string_view text) {
  const auto number = whole<int>(text);
  if (number && *number >= 1 && *number <= SIGRTMAX) return *number;
  std::string name{text};
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int candidate = 1; candidate < SIGRTMIN; ++candidate) {
    const char* known = sigabbrev_np(candidate);
    if (known != nullptr && name == known) return candidate;
  }
  return refuse_option("--signal", text, "a name or number, like TERM or 15");
}

std::string signal_name(int number) {
  const char* known = sigabbrev_np(number);
  return known != nullptr ? std::string{known} : std::to_string(number);
}

Result<sock::CgroupBackend> parse_backend(std::string_view text) {
  using sock::CgroupBackend;
  for (const auto backend : {CgroupBackend::automatic, CgroupBackend::v2, CgroupBackend::v1,
                             CgroupBackend::hybrid, CgroupBackend::none})
    if (text == sock::to_string(backend)) return backend;
  return refuse_option("--cgroups", text, "one of automatic, v2, v1, hybrid, none");
}

Result<sock::Runtime> parse_runtime(std::string_view text) {
  if (text == "python") return sock::Runtime::python;
  if (text == "native") return sock::Runtime::native;
  return refuse_option("--runtime", text, "python or native");
}

Result<std::string> parse_capability(std::string_view text) {
  std::string name{text};
  std::transform(name.begin(), name.end(), name.begin(), lower);
  if (!name.starts_with("cap_")) name.insert(0, "cap_");
  if (name.size() == 4 ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos)
    return refuse_option("--cap-add", text, "a capability like net_raw");
  return name;
}

Result<std::vector<sock::Package>> parse_requirements(const std::vector<std::string>& texts) {
  std::vector<sock::Package> packages;
  for (const auto& text : texts) {
    auto package = sock::Package::parse(text);
    if (!package.has_value()) return refuse_option("--require", text, "like numpy==1.26.4");
    packages.push_back(std::move(*package));
  }
  return packages;
}

Result<std::vector<std::string>> parse_package_list(std::string_view text) {
  std::vector<std::string> names;
  for (auto rest = text; !rest.empty() || names.empty();) {
    const auto name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const auto package = sock::Package::parse(name);
    if (!package.has_value())
      return refuse_option("--package", text, "names like numpy,pandas==1.5.3, or a directory");
    names.push_back(package->to_string());
  }
  return names;
}

Result<> check_name(std::string_view name) {
  const std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const std::string_view inner =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  const bool good = !name.empty() && name.size() <= 64 &&
                    letters.find(name.front()) != std::string_view::npos &&
                    name.find_first_not_of(inner) == std::string_view::npos;
  if (!good) return refuse_option("name", name, "letters, digits, '_', '.' and '-', at most 64");
  return {};
}

}  // namespace sockctl
