// sockctl zygote ls and inspect: the zygotes as the background Host describes them.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

std::string age(std::int64_t nanoseconds) {
  constexpr std::int64_t second = 1'000'000'000;
  const auto seconds = nanoseconds / second;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::string modules_cell(const nlohmann::json& zygote) {
  if (zygote.contains("nodes"))
    return fmt::format("tree: {} of {} live", zygote.value("living", 0), zygote["nodes"].size());
  std::string text;
  for (const auto& module : zygote.value("modules", nlohmann::json::array()))
    text += (text.empty() ? "" : ",") + module.value("name", "");
  return text.empty() ? "-" : text;
}

std::string memory_cell(const nlohmann::json& zygote, const char* name) {
  if (!zygote.contains("memory")) return "-";
  return human_size(zygote["memory"].value(name, std::uint64_t{0}));
}

std::vector<std::string> row_of(const nlohmann::json& zygote) {
  return {zygote.value("name", ""),
          zygote.value("state", ""),
          zygote.contains("pid") ? std::to_string(zygote.value("pid", 0)) : "-",
          modules_cell(zygote),
          std::to_string(zygote.value("spares", 0)),
          std::to_string(zygote.value("forks", std::uint64_t{0})),
          age(zygote.value("age_ns", std::int64_t{0})),
          fmt::format("{:.1f} ms", zygote.value("import_ns", 0.0) / 1e6),
          memory_cell(zygote, "rss"),
          memory_cell(zygote, "pss"),
          memory_cell(zygote, "private")};
}

Result<nlohmann::json> ask_about(const Globals& globals, const std::vector<std::string>& names) {
  const auto reply = SOCKCTL_TRY(ask_zygotes(globals, "inspect", names));
  return reply.value("zygotes", nlohmann::json::array());
}

Result<> list(Format format, const Globals& globals, const PsOptions& options) {
  auto zygotes = SOCKCTL_TRY(ask_about(globals, {}));
  if (options.quiet) {
    std::string names;
    for (const auto& zygote : zygotes) names += zygote.value("name", "") + "\n";
    return write_all(sock::FdRef{1}, names);
  }
  std::vector<std::vector<std::string>> rows;
  for (auto& zygote : zygotes) {
    rows.push_back(row_of(zygote));
    zygote.erase("options");  // The details are for `inspect`.
  }
  constexpr auto right = Column::Align::right;
  return print_list(format, zygotes,
                    {{"NAME"},
                     {"STATE"},
                     {"PID", right},
                     {"MODULES"},
                     {"SPARES", right},
                     {"FORKS", right},
                     {"AGE", right},
                     {"IMPORT", right},
                     {"RSS", right},
                     {"PSS", right},
                     {"PRIVATE", right}},
                    rows);
}

Result<> show(Format format, const Globals& globals, const std::vector<std::string>& names) {
  const auto zygotes = SOCKCTL_TRY(ask_about(globals, names));
  return print_list(format == Format::jsonl ? Format::jsonl : Format::json, zygotes, {}, {});
}

}  // namespace

int zygote_ls(const Globals& globals, const PsOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = list(*format, globals, options);
  return done.has_value() ? 0 : fail(done.error());
}

int zygote_inspect(const Globals& globals, const std::vector<std::string>& names) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = show(*format, globals, names);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
