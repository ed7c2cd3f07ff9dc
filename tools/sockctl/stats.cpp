// sockctl stats: what containers use, once or again and again.

#include <array>
#include <csignal>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "client.hpp"
#include "listing.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds watch_interval{1};

std::string size_cell(const nlohmann::json& stats, const char* name) {
  return stats.contains(name) ? human_size(stats.value(name, std::uint64_t{0})) : "-";
}

std::vector<std::string> row_of(const nlohmann::json& stats) {
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

Result<> show(Format format, const Globals& globals, const StatsOptions& options) {
  const auto entries = SOCKCTL_TRY(entries_of(globals, options.names));
  const auto answers = ask_all(entries, {{"verb", "stats"}});
  nlohmann::json all = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& answer : answers) {
    // Of the named ones, each is expected; of all, the dead have nothing to say.
    if (!answer.has_value() && options.names.empty()) continue;
    if (!answer.has_value()) return std::unexpected(answer.error());
    all.push_back(answer->value("stats", nlohmann::json::object()));
    rows.push_back(row_of(all.back()));
  }
  constexpr auto right = Column::Align::right;
  return print_list(format, all,
                    {{"NAME"},
                     {"CPU", right},
                     {"MEMORY", right},
                     {"PEAK", right},
                     {"LIMIT", right},
                     {"PIDS", right}},
                    rows);
}

Result<> watch(Format format, const Globals& globals, const StatsOptions& options) {
  constexpr std::array ending{SIGINT, SIGTERM, SIGHUP};
  const auto signals = SOCKCTL_TRY(signal_fd(ending));
  pollfd ended{.fd = signals.get(), .events = POLLIN, .revents = 0};
  do {
    constexpr std::string_view clear_screen = "\x1b[H\x1b[J";
    if (format == Format::table && is_terminal(sock::FdRef{1}))
      SOCKCTL_TRY(write_all(sock::FdRef{1}, clear_screen));
    SOCKCTL_TRY(show(format, globals, options));
  } while (SOCKCTL_TRY(wait_for({&ended, 1}, std::chrono::steady_clock::now() + watch_interval)) ==
           0);
  return {};
}

}  // namespace

int stats(const Globals& globals, const StatsOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done =
      options.watch ? watch(*format, globals, options) : show(*format, globals, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
