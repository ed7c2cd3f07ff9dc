// Tables by libsmartcols, JSON by nlohmann-json.

#include "listing.hpp"

#include <cstdlib>
#include <memory>

#include <libsmartcols.h>

#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {

Result<std::string> table(const std::vector<Column>& columns,
                          const std::vector<std::vector<std::string>>& rows) {
  const auto no_memory = [] { return refuse(Errc::exhausted, Stage::none, "table"); };
  const std::unique_ptr<libscols_table, decltype(&scols_unref_table)> out{scols_new_table(),
                                                                          scols_unref_table};
  if (!out) return no_memory();
  for (const auto& column : columns) {
    const int flags = column.align == Column::Align::right ? SCOLS_FL_RIGHT : 0;
    if (scols_table_new_column(out.get(), column.title, 0, flags) == nullptr) return no_memory();
  }
  for (const auto& row : rows) {
    libscols_line* line = scols_table_new_line(out.get(), nullptr);
    if (line == nullptr) return no_memory();
    // What is not for a terminal is replaced by the table itself: all but ASCII, since sockctl has
    // the locale "C".
    for (std::size_t i = 0; i < row.size() && i < columns.size(); ++i)
      if (scols_line_set_data(line, i, row[i].c_str()) != 0) return no_memory();
  }
  char* text = nullptr;
  if (scols_print_table_to_string(out.get(), &text) != 0) return no_memory();
  std::string copy{text != nullptr ? text : ""};
  std::free(text);  // NOLINT: allocated by the C library
  return copy;
}

Result<> print_list(Format format, const nlohmann::json& objects,
                    const std::vector<Column>& columns,
                    const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  if (format == Format::json) {
    text = objects.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  } else if (format == Format::jsonl) {
    for (const auto& object : objects) text += line_of(object) + "\n";
  } else {
    text = SOCKCTL_TRY(table(columns, rows));
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  return write_all(sock::FdRef{1}, text);
}

}  // namespace sockctl
