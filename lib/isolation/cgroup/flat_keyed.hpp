#pragma once

// The "flat keyed" form of cgroup files: "populated 1\nfrozen 0\n".

#include <cstdint>
#include <optional>
#include <string_view>

namespace sock::isolation {

[[nodiscard]] std::optional<std::uint64_t> find_value(std::string_view text, std::string_view key);
/// A file that holds one number. Empty for "max" and for anything else that is none.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace sock::isolation
