// Roots of several layers, by hard links.

#include "image/root_assembly.hpp"

#include <vector>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/tree_writer.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

Result<> add_entry(const std::string& path, const store::TreeEntry& entry,
                   store::DirectoryStack& parents, std::vector<store::DirectoryStack>& sources) {
  const FdRef parent = SOCK_TRY(parents.enter(store::parent_of(path)));
  const std::string name{store::last_of(path)};
  constexpr mode_t while_writing = 0700;
  if (entry.is_directory()) return sys::make_dir(parent, name, while_writing);
  const FdRef source = SOCK_TRY(sources[entry.layer].enter(store::parent_of(path)));
  return sys::make_link(source, name, parent, name);
}

}  // namespace

Result<> assemble_root(FdRef root, const store::TreeRecord& merged,
                       std::span<const UniqueFd> layers, store::Owners owners) {
  store::DirectoryStack parents{root};
  std::vector<store::DirectoryStack> sources;
  for (const UniqueFd& layer : layers) sources.emplace_back(layer);
  for (const auto& [path, entry] : merged.entries)
    if (!path.empty())
      SOCK_TRY(base::in_stage(image_stage, add_entry(path, entry, parents, sources)));
  return base::in_stage(image_stage, store::finish_directories(root, merged, owners));
}

}  // namespace sock::image
