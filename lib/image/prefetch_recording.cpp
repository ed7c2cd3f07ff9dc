// A walk over the files of a root, by its record.

#include "image/prefetch_recording.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "sys/file.hpp"
#include "sys/page_cache.hpp"

namespace sock::image {
namespace {

/// `use` gets each file that has content, by its path, open for reading.
template <class Use>
Result<> for_each_file(FdRef tree, const store::TreeRecord& record, const Use& use) {
  store::DirectoryStack parents{tree};
  for (const auto& [path, entry] : record.entries) {
    if (entry.kind != store::TreeEntry::Kind::file || entry.size == 0) continue;
    const FdRef parent = SOCK_TRY(parents.enter(store::parent_of(path)));
    const std::string name{store::last_of(path)};
    const UniqueFd file =
        SOCK_TRY(sys::open_beneath(parent, name, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    SOCK_TRY(use(path, file));
  }
  return {};
}

}  // namespace

Result<> drop_cached(FdRef tree, const store::TreeRecord& record) {
  return for_each_file(tree, record,
                       [](const std::string&, FdRef file) { return sys::advise_unneeded(file); });
}

Result<std::vector<loader::FileRanges>> find_cached(FdRef tree, const store::TreeRecord& record) {
  std::vector<loader::FileRanges> found;
  const auto look = [&](const std::string& path, FdRef file) -> Result<> {
    loader::FileRanges ranges{path, {}};
    for (const auto& range : SOCK_TRY(sys::cached_ranges(file)))
      ranges.ranges.push_back({range.offset, range.length});
    if (!ranges.ranges.empty()) found.push_back(std::move(ranges));
    return {};
  };
  SOCK_TRY(for_each_file(tree, record, look));
  return found;
}

}  // namespace sock::image
