// A set of numbers for each field; days are tried one after another.

#include "cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;
using sock::Errc;
using sock::Result;
using sock::Stage;
namespace chrono = std::chrono;

struct Field {
  const char* name;
  unsigned first;
  unsigned last;
  std::span<const std::string_view> names;  ///< Of `first` and those after it.
};

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};
constexpr std::array<Field, 5> fields{{{"minute", 0, 59, {}},
                                       {"hour", 0, 23, {}},
                                       {"day", 1, 31, {}},
                                       {"month", 1, 12, month_names},
                                       {"weekday", 0, 7, weekday_names}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> shorthands{
    {{"@hourly", "0 * * * *"},
     {"@daily", "0 0 * * *"},
     {"@midnight", "0 0 * * *"},
     {"@weekly", "0 0 * * 0"},
     {"@monthly", "0 0 1 * *"},
     {"@yearly", "0 0 1 1 *"}}};

std::unexpected<sock::Error> refuse(std::string_view what, std::string_view text) {
  return sockctl::refuse(Errc::invalid_spec, Stage::validate,
                         fmt::format("cron: {} '{}'", what, sock::printable(text)),
                         "as in crontab(5): \"*/5 * * * *\"");
}

bool same_letters(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, [](char c) { return c | 0x20; });
}

std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

std::optional<unsigned> value_of(std::string_view text, const Field& field) {
  for (std::size_t i = 0; i < field.names.size(); ++i)
    if (same_letters(text, field.names[i])) return field.first + static_cast<unsigned>(i);
  const auto number = number_of(text);
  return number && *number >= field.first && *number <= field.last ? number : std::nullopt;
}

/// "*", "5", "1-5", each perhaps with "/2". false: it is none.
bool add_part(std::string_view part, const Field& field, std::bitset<60>& set) {
  const auto slash = std::min(part.find('/'), part.size());
  const auto step = slash < part.size() ? number_of(part.substr(slash + 1)) : 1U;
  const auto range = part.substr(0, slash);
  const auto dash = std::min(range.find('-'), range.size());
  std::optional<unsigned> first = field.first;
  std::optional<unsigned> last = field.last;
  if (range != "*") {
    first = value_of(range.substr(0, dash), field);
    last = dash < range.size() ? value_of(range.substr(dash + 1), field) : first;
    // "5/10" goes on to the end.
    if (dash == range.size() && slash < part.size()) last = field.last;
  }
  if (!step || *step == 0 || !first || !last || *first > *last) return false;
  for (std::uint64_t value = *first; value <= *last; value += *step) set.set(value);
  return true;
}

Result<std::bitset<60>> parse_field(std::string_view text, const Field& field) {
  std::bitset<60> set;
  for (const auto part : std::views::split(text, ','))
    if (!add_part({part.begin(), part.end()}, field, set)) return refuse(field.name, text);
  return set;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const auto part : std::views::split(text, ' '))
    if (!part.empty()) words.emplace_back(part.begin(), part.end());
  return words;
}

template <std::size_t Size>
std::bitset<Size> narrowed(const std::bitset<60>& set) {
  std::bitset<Size> narrow;
  for (std::size_t i = 0; i < Size; ++i) narrow[i] = set[i];
  return narrow;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  for (const auto& [name, meaning] : shorthands)
    if (text == name) return parse(meaning);
  const auto words = words_of(text);
  if (words.size() != fields.size()) return refuse("five fields, not", text);
  std::array<std::bitset<60>, fields.size()> sets;
  for (std::size_t i = 0; i < fields.size(); ++i)
    sets[i] = SOCKCTL_TRY(parse_field(words[i], fields[i]));
  Cron cron;
  cron.minutes_ = sets[0];
  cron.hours_ = narrowed<24>(sets[1]);
  cron.days_ = narrowed<32>(sets[2]);
  cron.months_ = narrowed<13>(sets[3]);
  cron.weekdays_ = narrowed<7>(sets[4]);
  if (sets[4][7]) cron.weekdays_.set(0);
  cron.any_day_ = words[2] == "*";
  cron.any_weekday_ = words[4] == "*";
  if (!cron.next(Time{})) return refuse("it never happens:", text);
  return cron;
}

bool Cron::fits(chrono::year_month_day day) const {
  if (!months_[static_cast<unsigned>(day.month())]) return false;
  const bool day_fits = days_[static_cast<unsigned>(day.day())];
  const bool weekday_fits = weekdays_[chrono::weekday{chrono::sys_days{day}}.c_encoding()];
  return any_day_ || any_weekday_ ? day_fits && weekday_fits : day_fits || weekday_fits;
}

std::optional<Cron::Time> Cron::next(Time after) const {
  constexpr chrono::days most{8 * 366};
  const Time first = after + 1min;
  const auto today = chrono::floor<chrono::days>(first);
  for (auto day = today; day < today + most; day += chrono::days{1}) {
    if (!fits(day)) continue;
    const auto begin = day == today ? first - today : 0min;
    for (auto time = begin; time < 24h; time += 1min) {
      const auto hour = static_cast<std::size_t>(time / 1h);
      if (hours_[hour] && minutes_[static_cast<std::size_t>((time - hour * 1h).count())])
        return day + time;
    }
  }
  return {};
}

}  // namespace sockd
