#pragma once

// Which memory pages files hold, by content, to count those that two have in common.

#include <cstdint>
#include <string_view>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::checkpoint {

/// A number for each page of 4 KiB, sorted: equal pages have equal numbers, and two others hardly
/// ever. Good for counting, not for trusting.
using PageContents = std::vector<std::uint64_t>;

/// Whether a snapshot's file of this name holds pages: "pages", "pages-1.img", "memory-0".
[[nodiscard]] bool holds_pages(std::string_view file_name) noexcept;
/// Of a file of that many bytes; a piece at its end counts as a page. On failure: Errc::corrupt for
/// a shorter one.
Result<PageContents> read_pages(FdRef file, std::uint64_t size);
/// Puts others to them.
void add_pages(PageContents& pages, const PageContents& others);
/// How many are in both; each is counted as often as both have it.
[[nodiscard]] std::uint64_t count_common(const PageContents& a, const PageContents& b) noexcept;

}  // namespace sock::checkpoint
