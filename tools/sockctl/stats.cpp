// sockctl stats: what containers use, once or again and again.

#include <array>
#include <csignal>

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "listing.hpp"
#include "report.hpp"
#include "stats_row.hpp"
#include "terminal.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds watch_interval{1};

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
    rows.push_back(stats_row(all.back()));
  }
  return print_list(format, all, stats_columns(), rows);
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
