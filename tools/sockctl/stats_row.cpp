// Use of resources for people.

#include "stats_row.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report.hpp"

namespace sockctl {
namespace {

std::string size_cell(const nlohmann::json& stats, const char* name) {
  return stats.contains(name) ? human_size(stats.value(name, std::uint64_t{0})) : "-";
}

}  // namespace

std::vector<Column> stats_columns() {
  constexpr auto right = Column::Align::right;
  return {{"NAME"},        {"CPU", right},   {"MEMORY", right},
          {"PEAK", right}, {"LIMIT", right}, {"PIDS", right}};
}

std::vector<std::string> stats_row(const nlohmann::json& stats) {
  const auto cpu = stats.contains("cpu_total_ns")
                       ? fmt::format("{:.3f} s", stats.value("cpu_total_ns", 0.0) / 1e9)
                       : "-";
  const auto pids =
      stats.contains("pids_current") ? std::to_string(stats.value("pids_current", 0)) : "-";
  return {stats.value("name", ""),
          cpu,
          size_cell(stats, "memory_current"),
          size_cell(stats, "memory_peak"),
          size_cell(stats, "memory_max"),
          pids};
}

}  // namespace sockctl
