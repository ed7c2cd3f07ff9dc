// Results of `run` as JSON and as a table.

#include "run_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

std::string timing_line(std::string_view name, std::chrono::nanoseconds time) {
  return fmt::format("{:<14} {:>10.1f} us\n", name, static_cast<double>(time.count()) / 1e3);
}

}  // namespace

RunReport::RunReport(const RunOptions& options) : options_{options} {}

Result<> RunReport::event(const nlohmann::json& body) const {
  if (options_.status_fd < 0) return {};
  return write_all(sock::FdRef{options_.status_fd}, line_of(body) + "\n");
}

Result<> RunReport::write_meta(const nlohmann::json& result) const {
  if (options_.meta.empty()) return {};
  const auto file = SOCKCTL_TRY(open_result_file(options_.meta));
  return write_all(file, line_of(result) + "\n");
}

Result<> RunReport::started(const sock::Container& container) {
  return event({{"event", "started"},
                {"name", container.name()},
                {"pid", container.pid()},
                {"timings", to_json(container.timings())}});
}

Result<> RunReport::ended(const sock::Container& container, const sock::ExitStatus& status) {
  const std::chrono::nanoseconds wall = std::chrono::steady_clock::now() - start_;
  nlohmann::json result = to_json(status);
  const auto stats = container.stats();
  if (stats.has_value()) result["stats"] = to_json(*stats);
  result["name"] = container.name();
  result["wall_ns"] = wall.count();
  result["oom"] = status.kind == sock::ExitStatus::Kind::oom_killed;
  SOCKCTL_TRY(write_meta(result));
  result["event"] = "exited";
  return event(result);
}

Result<> RunReport::failed(const Error& error) {
  nlohmann::json result{{"kind", "failed"}, {"code", exit_code(error)}, {"error", to_json(error)}};
  SOCKCTL_TRY(write_meta(result));
  result["event"] = "failed";
  return event(result);
}

std::string timings_table(std::span<const sock::StageTiming> timings) {
  std::string table;
  std::chrono::nanoseconds total{};
  for (const auto& timing : timings) {
    total += timing.elapsed;
    table += timing_line(sock::to_string(timing.stage), timing.elapsed);
  }
  return table + timing_line("total", total);
}

std::string prefetch_line(const sock::PrefetchReport& report) {
  if (report.was_warm) return "prefetch: in memory already\n";
  const double milliseconds = static_cast<double>(report.took.count()) / 1e3;
  return fmt::format("prefetch: {} files, {}, asked for in {:.1f} ms ({})\n", report.files,
                     human_size(report.bytes), milliseconds, sock::to_string(report.engine));
}

}  // namespace sockctl
