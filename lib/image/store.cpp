// ImageStore: the public handle.

#include <algorithm>

#include <fcntl.h>

#include "sock/image.hpp"

#include "base/try.hpp"
#include "image/catalog.hpp"
#include "image/exporter.hpp"
#include "image/garbage.hpp"
#include "image/image_root.hpp"
#include "image/importer.hpp"
#include "image/mounts.hpp"
#include "image/stage.hpp"
#include "store/tree_check.hpp"
#include "sys/file.hpp"

namespace sock {

using image::image_stage;

/// Roots in use keep the directory open beyond the store's handle.
struct ImageStore::Impl {
  std::shared_ptr<const image::StoreDirectory> directory;
};

namespace {

std::unexpected<Error> closed() {
  return base::refuse(Errc::closed, image_stage, "image store");
}

Result<image::StoredImage> look_up(const image::StoreDirectory& store, std::string_view reference) {
  const auto parsed = SOCK_TRY(image::parse_reference(reference));
  return image::find_image(store, parsed, std::string{reference});
}

/// Keeps gc() away from layers and roots, as long as the locks live.
Result<store::StoreLocks> hold(const image::StoreDirectory& store,
                               const std::vector<store::Digest>& objects) {
  auto locks = SOCK_TRY(store::StoreLocks::open(store));
  for (const auto& object : objects)
    SOCK_TRY(locks.lock(store::LockKey::object(object), sys::LockMode::shared));
  return locks;
}

Result<> verify_image(const image::StoreDirectory& store, const image::StoredImage& stored,
                      Verification& found) {
  store::TreeRecord merged;
  for (std::size_t i = 0; i < stored.layers.size(); ++i) {
    auto record = image::load_record(store, stored, i);
    if (!record.has_value() && record.error().code == Errc::corrupt) {
      found.problems.push_back(record.error().subject + ": " + record.error().hint);
      return {};
    }
    const std::string name = "layers/" + stored.layers[i].hex() + "/tree";
    const auto tree = sys::open_beneath(store.top, name, O_RDONLY | O_DIRECTORY);
    if (tree.has_value())
      SOCK_TRY(store::check_tree(*tree, *record, name, found));
    else
      found.problems.push_back(name + ": it is missing");
    store::merge_layer(merged, *record, i);
  }
  if (stored.layers.size() == 1) return {};
  const std::string path = root_path(stored);
  const auto tree = sys::open_beneath(store.top, path, O_RDONLY | O_DIRECTORY);
  if (tree.has_value()) return store::check_tree(*tree, merged, path, found);
  found.problems.push_back(path + ": it is missing");
  return {};
}

}  // namespace

std::string_view to_string(ImportProgress::Step step) noexcept {
  switch (step) {
    case ImportProgress::Step::waiting:
      return "waiting";
    case ImportProgress::Step::unpacking:
      return "unpacking";
    case ImportProgress::Step::assembling:
      return "assembling";
    case ImportProgress::Step::syncing:
      return "syncing";
    case ImportProgress::Step::packing:
      return "packing";
  }
  return "unknown";
}

ImageStore::ImageStore(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
ImageStore::ImageStore(ImageStore&&) noexcept = default;
ImageStore& ImageStore::operator=(ImageStore&&) noexcept = default;
ImageStore::~ImageStore() = default;

Result<ImageStore> ImageStore::open(const ImageStoreOptions& options) {
  auto directory = SOCK_TRY(image::StoreDirectory::open(options.directory));
  return ImageStore{std::make_unique<Impl>(
      Impl{std::make_shared<const image::StoreDirectory>(std::move(directory))})};
}

Result<Image> ImageStore::add(const ImageSource& source, const ImportOptions& options) {
  if (!impl_) return closed();
  image::Importer importer{*impl_->directory, options};
  return base::in_stage(image_stage, importer.run(source));
}

Result<std::vector<Image>> ImageStore::list() const {
  if (!impl_) return closed();
  std::vector<Image> images;
  for (auto& stored : SOCK_TRY(image::load_images(*impl_->directory)))
    images.push_back(std::move(stored.image));
  std::ranges::sort(images, [](const Image& a, const Image& b) {
    if (a.names.empty() != b.names.empty()) return b.names.empty();
    return std::tie(a.names, a.id) < std::tie(b.names, b.id);
  });
  return images;
}

Result<Image> ImageStore::find(std::string_view reference) const {
  if (!impl_) return closed();
  auto stored = SOCK_TRY(look_up(*impl_->directory, reference));
  return std::move(stored.image);
}

Result<ImageRoot> ImageStore::use(std::string_view reference) const {
  if (!impl_) return closed();
  const image::StoreDirectory& store = *impl_->directory;
  auto stored = SOCK_TRY(look_up(store, reference));
  auto lock = SOCK_TRY(hold(store, {stored.chain}));
  // Looked at under the lock: gc() may have been faster.
  const std::string path = root_path(stored);
  SOCK_TRY(base::in_stage(image_stage, sys::status_at(store.top, path)));
  return ImageRoot{std::make_unique<ImageRoot::Impl>(ImageRoot::Impl{
      impl_->directory, std::move(stored), store.path + "/" + path, std::move(lock)})};
}

Result<Verification> ImageStore::verify(std::string_view reference) const {
  if (!impl_) return closed();
  const image::StoreDirectory& store = *impl_->directory;
  const auto stored = SOCK_TRY(look_up(store, reference));
  auto objects = stored.layers;
  objects.push_back(stored.chain);
  const auto locks = SOCK_TRY(hold(store, objects));
  Verification found;
  SOCK_TRY(base::in_stage(image_stage, verify_image(store, stored, found)));
  return found;
}

Result<> ImageStore::save(std::string_view reference, const ImageSource& target,
                          const ExportOptions& options) const {
  if (!impl_) return closed();
  const image::StoreDirectory& store = *impl_->directory;
  const auto stored = SOCK_TRY(look_up(store, reference));
  const auto locks = SOCK_TRY(hold(store, stored.layers));
  return image::Exporter{store, stored, options}.run(target);
}

Result<> ImageStore::mount(std::string_view reference, const std::string& directory) const {
  if (!impl_) return closed();
  const image::StoreDirectory& store = *impl_->directory;
  const auto stored = SOCK_TRY(look_up(store, reference));
  const auto locks = SOCK_TRY(hold(store, {stored.chain}));
  // A gc() at work has looked already at what is mounted; and of two on one directory one would
  // have no note.
  SOCK_TRY(locks.lock(store::LockKey::catalog(), sys::LockMode::exclusive));
  return image::mount_root(store, stored, directory);
}

Result<> ImageStore::unmount(const std::string& directory) const {
  if (!impl_) return closed();
  const auto locks = SOCK_TRY(store::StoreLocks::open(*impl_->directory));
  SOCK_TRY(locks.lock(store::LockKey::catalog(), sys::LockMode::exclusive));
  return image::unmount_root(*impl_->directory, directory);
}

Result<> ImageStore::remove(std::string_view reference) {
  if (!impl_) return closed();
  const image::StoreDirectory& store = *impl_->directory;
  const auto parsed = SOCK_TRY(image::parse_reference(reference));
  const auto locks = SOCK_TRY(store::StoreLocks::open(store));
  SOCK_TRY(locks.lock(store::LockKey::catalog(), sys::LockMode::exclusive));
  const auto stored = SOCK_TRY(image::find_image(store, parsed, std::string{reference}));
  if (!parsed.name.empty()) return image::remove_name(store, parsed.name);
  for (const auto& name : stored.image.names) SOCK_TRY(image::remove_name(store, name));
  return {};
}

Result<ImageGarbage> ImageStore::gc() {
  if (!impl_) return closed();
  return image::collect_garbage(*impl_->directory);
}

}  // namespace sock
