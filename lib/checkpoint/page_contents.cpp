// Counting equal pages.

#include "checkpoint/page_contents.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include "base/try.hpp"
#include "checkpoint/external_names.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::size_t page_size = 4096;
constexpr std::size_t pages_at_once = 64;

}  // namespace

bool holds_pages(std::string_view file_name) noexcept {
  return file_name == "pages" || is_page_file(file_name) ||
         (file_name.starts_with("pages-") && file_name.ends_with(".img"));
}

Result<PageContents> read_pages(FdRef file, std::uint64_t size) {
  PageContents pages;
  std::string buffer(pages_at_once * page_size, '\0');
  for (std::uint64_t done = 0; done < size;) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(size - done, buffer.size()));
    std::size_t got = 0;
    while (got < wanted) {
      const auto count =
          SOCK_TRY(sys::read_at_offset(file, buffer.data() + got, wanted - got, done + got));
      if (count == 0)
        return base::refuse(Errc::corrupt, Stage::checkpoint, "a file of memory pages",
                            "it is shorter than the manifest says");
      got += count;
    }
    for (std::string_view rest{buffer.data(), got}; !rest.empty();) {
      const auto page = rest.substr(0, page_size);
      pages.push_back(std::hash<std::string_view>{}(page));
      rest.remove_prefix(page.size());
    }
    done += got;
  }
  std::ranges::sort(pages);
  return pages;
}

void add_pages(PageContents& pages, const PageContents& others) {
  const auto middle = static_cast<std::ptrdiff_t>(pages.size());
  pages.insert(pages.end(), others.begin(), others.end());
  std::ranges::inplace_merge(pages, pages.begin() + middle);
}

std::uint64_t count_common(const PageContents& a, const PageContents& b) noexcept {
  std::uint64_t common = 0;
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() && right != b.end()) {
    if (*left < *right) {
      ++left;
    } else if (*right < *left) {
      ++right;
    } else {
      ++common;
      ++left;
      ++right;
    }
  }
  return common;
}

}  // namespace sock::checkpoint
