// sockctl zygote stats: what each domain uses.

#include <nlohmann/json.hpp>

#include "listing.hpp"
#include "report.hpp"
#include "stats_row.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

Result<> show(Format format, const Globals& globals, const std::vector<std::string>& names) {
  const auto reply = SOCKCTL_TRY(ask_zygotes(globals, "stats", names));
  const auto all = reply.value("stats", nlohmann::json::array());
  std::vector<std::vector<std::string>> rows;
  for (const auto& stats : all) {
    rows.push_back(stats_row(stats));
    rows.back().push_back(std::to_string(stats.value("forks", std::uint64_t{0})));
    rows.back().push_back(std::to_string(stats.value("running", std::uint64_t{0})));
  }
  auto columns = stats_columns();
  columns.push_back({"FORKS", Column::Align::right});
  columns.push_back({"RUNNING", Column::Align::right});
  return print_list(format, all, columns, rows);
}

}  // namespace

int zygote_stats(const Globals& globals, const std::vector<std::string>& names) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = show(*format, globals, names);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
