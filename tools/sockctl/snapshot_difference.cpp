// Differences of snapshots for people and machines.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "snapshot_json.hpp"

namespace sockctl {
namespace {

constexpr std::uint64_t page_bytes = 4096;

nlohmann::json value_of(const std::string& json) {
  return json.empty() ? nlohmann::json{} : nlohmann::json::parse(json, nullptr, false);
}

nlohmann::json value_of(const std::optional<std::uint64_t>& number) {
  return number ? nlohmann::json(*number) : nlohmann::json{};
}

std::string cell_of(const std::string& value) {
  constexpr std::size_t most = 48;
  if (value.empty()) return "-";
  return value.size() > most ? value.substr(0, most - 3) + "..." : value;
}

std::string cell_of(const std::optional<std::uint64_t>& bytes) {
  return bytes ? human_size(*bytes) : "-";
}

std::string pages_text(std::uint64_t pages) {
  return fmt::format("{} pages, {}", pages, human_size(pages * page_bytes));
}

}  // namespace

nlohmann::json to_json(const std::string& before, const std::string& after,
                       const sock::SnapshotDifference& difference) {
  auto fields = nlohmann::json::array();
  for (const auto& field : difference.fields)
    fields.push_back({{"name", field.name},
                      {"before", value_of(field.before)},
                      {"after", value_of(field.after)}});
  auto files = nlohmann::json::array();
  for (const auto& file : difference.files) {
    files.push_back({{"name", sock::printable(file.name)},
                     {"before", value_of(file.before)},
                     {"after", value_of(file.after)}});
    if (file.common_pages) files.back()["common_pages"] = *file.common_pages;
  }
  return {{"before", before},
          {"after", after},
          {"fields", std::move(fields)},
          {"files", std::move(files)},
          {"pages",
           {{"bytes_each", page_bytes},
            {"before", difference.pages.before},
            {"after", difference.pages.after},
            {"common", difference.pages.common}}}};
}

Result<> print_difference(Format format, const std::string& before, const std::string& after,
                          const sock::SnapshotDifference& difference) {
  if (format != Format::table)
    return write_all(sock::FdRef{1}, line_of(to_json(before, after, difference)) + "\n");
  std::vector<std::vector<std::string>> rows;
  for (const auto& field : difference.fields)
    rows.push_back({field.name, cell_of(field.before), cell_of(field.after), ""});
  for (const auto& file : difference.files)
    rows.push_back({file.name, cell_of(file.before), cell_of(file.after),
                    file.common_pages ? pages_text(*file.common_pages) : ""});
  const auto& pages = difference.pages;
  rows.push_back(
      {"memory", pages_text(pages.before), pages_text(pages.after), pages_text(pages.common)});
  return print_list(format, {}, {{"WHAT"}, {before.c_str()}, {after.c_str()}, {"IN COMMON"}}, rows);
}

}  // namespace sockctl
