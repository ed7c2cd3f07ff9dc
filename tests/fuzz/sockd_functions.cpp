// What whoever registers a function writes: function.toml, names, and schedules, which are compared
// with a reading of crontab(5) of their own. Input: which of them, then its text.

#include <array>
#include <cstdlib>
#include <optional>
#include <ranges>
#include <vector>

#include <nlohmann/json.hpp>

#include "input.hpp"
#include "sockd/cron.hpp"
#include "sockd/function_spec.hpp"
#include "sockd/lambda_name.hpp"

namespace sock::fuzz {
namespace {

using namespace sockd;
namespace chrono = std::chrono;

void read_spec(std::string_view text) {
  const auto spec = parse_function(text);
  if (!spec) return;
  expect(*parse_function(text) == *spec, "it means the same each time");
  expect(!spec->handler.empty() && !spec->handler.contains('\0'), "a handler is a name");
  expect(spec->memory >= (4U << 20U), "there is memory for an interpreter");
  expect(spec->timeout <= chrono::minutes{15} && spec->timeout.count() >= 0, "a call ends");
  expect(spec->concurrency >= 1 && spec->concurrency <= 10'000, "instances are bounded");
  expect(spec->events.retries <= 100 && spec->events.delay.count() > 0 &&
             spec->events.event_age <= chrono::days{14},
         "events are given up");
  expect(spec->application.empty() || check_function_name(spec->application),
         "an application is a name");
  expect(
      spec->runtime != FunctionRuntime::exec || spec->instances == FunctionSpec::Instances::fresh,
      "a program is started for each call");
  if (spec->runtime != FunctionRuntime::python)
    expect(!spec->handler.starts_with('/') &&
               ("/" + spec->handler + "/").find("/../") == std::string::npos,
           "no handler is outside of the function's directory");
  for (const auto& each : spec->env)
    expect(each.find('=') != std::string::npos && each.find('=') > 0 && !each.contains('\0'),
           "a variable has a name and a value");
  expect(spec->schedules.size() <= 16 && spec->directories.size() <= 16, "sources are bounded");
  for (const auto& each : spec->schedules)
    expect(Cron::parse(each.cron).has_value() &&
               (each.event.empty() || nlohmann::json::accept(each.event)),
           "a schedule has its times and its event");
  for (const auto& each : spec->directories)
    for (const auto& path : {each.path, each.at})
      expect(path.starts_with('/') && (path + "/").find("/../") == std::string::npos,
             "paths are absolute, and lead where they say");
}

void read_name(std::string_view text) {
  const bool is_name = check_function_name(text).has_value();
  if (is_name)
    expect(text.size() <= 64 && text.find_first_of("/.%:\n\\ ") == std::string_view::npos,
           "a name is a part of a path, and of a URL");
  const auto name = lambda_name(text);
  expect(!name.contains(':'), "no qualifier is left");
  if (is_name) expect(name == text, "a name is itself");
}

/// As crontab(5) has it: number by number, in numbers that do not overflow.
bool fits(std::string_view field, std::uint64_t value, std::uint64_t first, std::uint64_t last,
          const std::vector<std::string_view>& names) {
  const auto number = [&](const std::string& text) -> std::uint64_t {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (::strcasecmp(text.c_str(), names[i].data()) == 0) return first + i;
    return std::strtoull(text.c_str(), nullptr, 10);
  };
  for (const auto each : std::views::split(field, ',')) {
    const std::string part{each.begin(), each.end()};
    const auto slash = part.find('/');
    const std::string range = part.substr(0, slash);
    const auto dash = range.find('-');
    const std::uint64_t step = slash == std::string::npos ? 1 : number(part.substr(slash + 1));
    std::uint64_t low = first;
    std::uint64_t high = last;
    if (range != "*") {
      low = number(range.substr(0, dash));
      if (dash != std::string::npos)
        high = number(range.substr(dash + 1));
      else if (slash == std::string::npos)
        high = low;
    }
    if (value >= low && value <= high && (value - low) % step == 0) return true;
  }
  return false;
}

void read_schedule(std::string_view text) {
  const auto cron = Cron::parse(text);
  if (!cron || text.starts_with('@')) return;
  std::vector<std::string_view> fields;
  for (const auto each : std::views::split(text, ' '))
    if (!each.empty()) fields.emplace_back(each.begin(), each.end());
  const std::vector<std::string_view> months{"jan", "feb", "mar", "apr", "may", "jun",
                                             "jul", "aug", "sep", "oct", "nov", "dec"};
  const std::vector<std::string_view> weekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
  Cron::Time time{chrono::sys_days{chrono::year{2024} / 2 / 28}};
  for (int count = 0; count < 4; ++count) {
    const auto next = cron->next(time);
    if (!next) return;
    expect(*next > time, "the next time is later");
    const auto day = chrono::floor<chrono::days>(*next);
    const chrono::year_month_day date{day};
    const chrono::hh_mm_ss clock{*next - day};
    const auto weekday = chrono::weekday{day}.c_encoding();
    expect(fits(fields[0], static_cast<std::uint64_t>(clock.minutes().count()), 0, 59, {}),
           "a minute that is named");
    expect(fits(fields[1], static_cast<std::uint64_t>(clock.hours().count()), 0, 23, {}),
           "an hour that is named");
    expect(fits(fields[3], unsigned{date.month()}, 1, 12, months), "a month that is named");
    const bool day_fits = fits(fields[2], unsigned{date.day()}, 1, 31, {});
    const bool weekday_fits = fits(fields[4], weekday, 0, 7, weekdays) ||
                              (weekday == 0 && fits(fields[4], 7, 0, 7, weekdays));
    const bool either = fields[2] != "*" && fields[4] != "*";
    expect(either ? day_fits || weekday_fits : day_fits && weekday_fits, "a day that is named");
    time = *next;
  }
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock::fuzz;
  constexpr std::array readers{read_spec, read_name, read_schedule};
  Input input{data, size};
  readers[input.choice(readers.size())](input.rest());
  return 0;
}
