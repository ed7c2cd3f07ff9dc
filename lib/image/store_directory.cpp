// Opening an image store.

#include "image/store_directory.hpp"

#include <array>

#include "base/try.hpp"

namespace sock::image {

Result<StoreDirectory> StoreDirectory::open(const std::string& path) {
  static constexpr std::array<std::string_view, 7> parts{"layers", "roots",  "documents", "images",
                                                         "names",  "mounts", "prefetch"};
  constexpr store::StoreKind kind{
      .name = "image store", .word = "sock-images", .version = 1, .parts = parts};
  StoreDirectory opened{};
  static_cast<store::StoreDirectory&>(opened) = SOCK_TRY(store::StoreDirectory::open(path, kind));
  opened.layers = SOCK_TRY(opened.open_part("layers"));
  opened.roots = SOCK_TRY(opened.open_part("roots"));
  opened.documents = SOCK_TRY(opened.open_part("documents"));
  opened.images = SOCK_TRY(opened.open_part("images"));
  opened.names = SOCK_TRY(opened.open_part("names"));
  opened.mounts = SOCK_TRY(opened.open_part("mounts"));
  opened.prefetch = SOCK_TRY(opened.open_part("prefetch"));
  return opened;
}

}  // namespace sock::image
