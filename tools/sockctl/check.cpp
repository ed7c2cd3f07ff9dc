// sockctl check: what this machine offers, what is lost without it, and what to do.

#include "sock/check.hpp"

#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

Result<bool> show(const Globals& globals) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto settings = SOCKCTL_TRY(host_options(globals, state));
  nlohmann::json all = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  bool good = true;
  for (const auto& check : sock::check(settings)) {
    good = good && check.outcome != sock::Check::Outcome::failed;
    rows.push_back(
        {check.name, outcome_name(check.outcome), check.detail, check.lost, check.remedy});
    all.push_back({{"name", check.name},
                   {"outcome", outcome_name(check.outcome)},
                   {"detail", check.detail},
                   {"lost", check.lost},
                   {"remedy", check.remedy}});
  }
  SOCKCTL_TRY(
      print_list(format, all, {{"CHECK"}, {"OUTCOME"}, {"FOUND"}, {"LOST"}, {"REMEDY"}}, rows));
  return good;
}

}  // namespace

int check(const Globals& globals) {
  const auto good = show(globals);
  if (!good.has_value()) return fail(good.error());
  return *good ? 0 : 1;
}

}  // namespace sockctl
