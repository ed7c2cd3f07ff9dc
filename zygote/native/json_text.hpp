#pragma once

// As much of JSON (RFC 8259) as passing it on takes: is it JSON, and a string of it. Pure.

#include <string_view>

#include "native/text_buffer.hpp"

namespace sock::zygote {

/// One value, in UTF-8, nested at most 1,000 deep.
[[nodiscard]] bool is_json(std::string_view text) noexcept;

/// Appends `text` as a string with its quotes; what is not UTF-8 becomes U+FFFD.
void append_json_string(TextBuffer& buffer, std::string_view text) noexcept;

}  // namespace sock::zygote
