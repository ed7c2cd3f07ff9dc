#pragma once

// Lists for people and machines: rows of JSON objects, shown as a table, as one JSON array or as a
// line for each object.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "globals.hpp"

namespace sockctl {

struct Column {
  const char* title;
  enum class Align : std::uint8_t { left, right } align = Align::left;
};

/// Cells are escaped; nothing that a container chose reaches the terminal as it is.
Result<std::string> table(const std::vector<Column>& columns,
                          const std::vector<std::vector<std::string>>& rows);
/// In the format that was asked for; `rows` are the objects' cells.
Result<> print_list(Format format, const nlohmann::json& objects,
                    const std::vector<Column>& columns,
                    const std::vector<std::vector<std::string>>& rows);

}  // namespace sockctl
