// Roots of several layers, by hard links.

#include "image/root_assembly.hpp"

#include <algorithm>
#include <deque>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/tree_writer.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

/// The directories of layers. Entries come in the order of their paths, which jumps from layer to
/// layer; open are those of the few that it comes back to, however many layers there are.
class Sources {
 public:
  explicit Sources(std::span<const FdRef> layers) : layers_{layers} {}

  /// Valid until the next call.
  Result<FdRef> enter(std::size_t layer, std::string_view path) {
    const auto found = std::ranges::find(recent_, layer, &Recent::layer);
    if (found != recent_.end()) {
      std::rotate(recent_.begin(), found, found + 1);
    } else {
      constexpr std::size_t most = 8;
      if (recent_.size() == most) recent_.pop_back();
      recent_.push_front({.layer = layer, .stack = store::DirectoryStack{layers_[layer]}});
    }
    return recent_.front().stack.enter(path);
  }

 private:
  struct Recent {
    std::size_t layer;
    store::DirectoryStack stack;
  };
  std::span<const FdRef> layers_;
  std::deque<Recent> recent_ = {};  // The last used first.
};

Result<> add_entry(const std::string& path, const store::TreeEntry& entry,
                   store::DirectoryStack& parents, Sources& sources) {
  const FdRef parent = SOCK_TRY(parents.enter(store::parent_of(path)));
  const std::string name{store::last_of(path)};
  constexpr mode_t while_writing = 0700;
  if (entry.is_directory()) return sys::make_dir(parent, name, while_writing);
  const FdRef source = SOCK_TRY(sources.enter(entry.layer, store::parent_of(path)));
  return sys::make_link(source, name, parent, name);
}

}  // namespace

Result<> assemble_root(FdRef root, const store::TreeRecord& merged, std::span<const FdRef> layers,
                       store::Owners owners) {
  store::DirectoryStack parents{root};
  Sources sources{layers};
  for (const auto& [path, entry] : merged.entries)
    if (!path.empty())
      SOCK_TRY(base::in_stage(image_stage, add_entry(path, entry, parents, sources)));
  return base::in_stage(image_stage, store::finish_directories(root, merged, owners));
}

}  // namespace sock::image
