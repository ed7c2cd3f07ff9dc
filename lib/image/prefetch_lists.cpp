// Reading and writing the lists.

#include "image/prefetch_lists.hpp"

#include <algorithm>

#include <fcntl.h>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

constexpr std::size_t most_list = 64U << 20U;

Result<std::optional<PrefetchList>> load(const StoreDirectory& store, const std::string& path) {
  const auto text = base::in_stage(image_stage, sys::read_file(store.prefetch, path, most_list));
  if (!text.has_value() && text.error().code == Errc::not_found)
    return std::optional<PrefetchList>{};
  if (!text.has_value()) return std::unexpected(text.error());
  auto list = SOCK_TRY(PrefetchList::parse(*text));
  return std::optional{std::move(list)};
}

}  // namespace

Result<> save_prefetch_list(const StoreDirectory& store, const store::Digest& chain,
                            const PrefetchList& list) {
  SOCK_TRY(base::in_stage(image_stage, sys::ensure_dir(store.prefetch, chain.hex(), 0700)));
  const auto place = SOCK_TRY(base::in_stage(
      image_stage, sys::open_beneath(store.prefetch, chain.hex(), O_RDONLY | O_DIRECTORY)));
  const store::Staging staging = SOCK_TRY(store::Staging::create(store));
  const std::string text = list.to_text();
  for (const auto& command : {list.command, std::vector{list.command.front()}})
    SOCK_TRY(staging.write_and_publish(place, prefetch_key(command).hex(), text));
  return {};
}

Result<std::optional<PrefetchList>> find_prefetch_list(const StoreDirectory& store,
                                                       const store::Digest& chain,
                                                       const std::vector<std::string>& command) {
  if (command.empty()) return std::optional<PrefetchList>{};
  const std::string directory = chain.hex() + '/';
  auto exact = SOCK_TRY(load(store, directory + prefetch_key(command).hex()));
  if (exact) return exact;
  return load(store, directory + prefetch_key({command.front()}).hex());
}

Result<std::vector<PrefetchList>> load_prefetch_lists(const StoreDirectory& store,
                                                      const store::Digest& chain) {
  std::vector<PrefetchList> lists;
  const auto directory = sys::open_beneath(store.prefetch, chain.hex(), O_RDONLY | O_DIRECTORY);
  if (!directory.has_value() && directory.error().code == Errc::not_found) return lists;
  if (!directory.has_value())
    return base::in_stage<std::vector<PrefetchList>>(image_stage,
                                                     std::unexpected(directory.error()));
  for (const auto& name : SOCK_TRY(base::in_stage(image_stage, sys::list_dir(*directory)))) {
    auto list = SOCK_TRY(load(store, chain.hex() + '/' + name));
    // Under its program's name it lies a second time.
    if (list && prefetch_key(list->command).hex() == name) lists.push_back(std::move(*list));
  }
  std::ranges::sort(lists, {}, &PrefetchList::command);
  return lists;
}

}  // namespace sock::image
