#pragma once

// Whether two records are of the same tree. Pure.

#include <optional>
#include <string>

#include "store/tree_record.hpp"

namespace sock::store {

/// Everything but which other entries are its hard links, and of a directory but its time, which
/// changes with what is in it.
[[nodiscard]] bool is_same(const TreeEntry& a, const TreeEntry& b);
/// Whether the same of its entries are hard links of one another, however they are numbered, and
/// everything else is the same, times of directories too. The path of the first that is not; empty
/// when all are.
[[nodiscard]] std::optional<std::string> find_difference(const TreeRecord& a, const TreeRecord& b);

}  // namespace sock::store
