#pragma once

// Times of a schedule, as in crontab(5): five fields, in UTC. Pure.

#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

#include "try.hpp"

namespace sockd {

/// "MINUTE HOUR DAY MONTH WEEKDAY": each "*", a number, a range "1-5", either with a step "/2", or
/// a list of these; months and weekdays by their names ("jan", "mon"), too. Sunday is 0 or 7. A day
/// fits when its number or its weekday does, if neither is "*". "@hourly", "@daily", "@weekly",
/// "@monthly" and "@yearly" are such fields.
class Cron {
 public:
  using Time = std::chrono::sys_time<std::chrono::minutes>;

  /// On failure: Errc::invalid_spec with the field, or for what never happens ("0 0 30 2 *").
  static sock::Result<Cron> parse(std::string_view text);
  /// The first time after this one; nothing within eight years: never.
  [[nodiscard]] std::optional<Time> next(Time after) const;

 private:
  [[nodiscard]] bool fits(std::chrono::year_month_day day) const;
  std::bitset<60> minutes_ = {};
  std::bitset<24> hours_ = {};
  std::bitset<32> days_ = {};
  std::bitset<13> months_ = {};
  std::bitset<7> weekdays_ = {};
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace sockd
