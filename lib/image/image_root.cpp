// ImageRoot: the public handle of an image in use.

#include "image/image_root.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/try.hpp"
#include "image/prefetch_lists.hpp"
#include "image/prefetch_recording.hpp"
#include "image/prefetching.hpp"
#include "image/stage.hpp"
#include "image/user.hpp"
#include "sys/file.hpp"

namespace sock {

using image::image_stage;

namespace {

// Empty when it cannot be read: then it has nobody in it. A link in the image stays in the image.
std::string read_inside(FdRef root, const std::string& path) {
  constexpr std::size_t most = 1U << 20U;
  const auto file = sys::open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.has_value()) return {};
  return sys::reread(*file, most).value_or(std::string{});
}

Result<UniqueFd> open_root(const std::string& path, int flags) {
  return base::in_stage(image_stage, sys::open_literally(sys::cwd, path, flags | O_DIRECTORY));
}

PrefetchSummary summary_of(const image::PrefetchList& list) {
  PrefetchSummary summary{.command = list.command, .files = list.files.size()};
  for (const auto& file : list.files) summary.ranges += file.ranges.size();
  summary.bytes = list.bytes();
  return summary;
}

}  // namespace

ImageRoot::ImageRoot(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
ImageRoot::ImageRoot(ImageRoot&&) noexcept = default;
ImageRoot& ImageRoot::operator=(ImageRoot&&) noexcept = default;
ImageRoot::~ImageRoot() = default;

const Image& ImageRoot::image() const noexcept {
  return impl_->stored.image;
}
const std::string& ImageRoot::path() const noexcept {
  return impl_->path;
}
Rootfs ImageRoot::rootfs() const {
  // Without real root the store's files belong to whoever runs the container, as they must.
  return Rootfs{.base = impl_->path, .shift_owners = ::geteuid() == 0};
}

Result<std::optional<Identity>> ImageRoot::identity() const {
  const std::string& user = image().config.user;
  if (user.empty()) return std::optional<Identity>{};
  const auto root = SOCK_TRY(open_root(impl_->path, O_PATH));
  const auto passwd = read_inside(root, "/etc/passwd");
  const auto group = read_inside(root, "/etc/group");
  auto identity = SOCK_TRY(image::find_identity(user, passwd, group));
  return std::optional{std::move(identity)};
}

Result<std::optional<Prefetch>> ImageRoot::prefetch(const std::vector<std::string>& command,
                                                    const PrefetchOptions& options) const {
  SOCK_TRY(image::check_prefetch_options(options));
  auto list = SOCK_TRY(image::find_prefetch_list(*impl_->store, impl_->stored.chain, command));
  if (!list) return std::optional<Prefetch>{};
  auto tree = SOCK_TRY(open_root(impl_->path, O_RDONLY));
  auto started = SOCK_TRY(Prefetch::Impl::start(std::move(tree), std::move(*list), options));
  return std::optional{Prefetch{std::move(started)}};
}

Result<> ImageRoot::drop_page_cache() const {
  const auto record = SOCK_TRY(image::load_root_record(*impl_->store, impl_->stored));
  const auto tree = SOCK_TRY(open_root(impl_->path, O_RDONLY));
  return base::in_stage(image_stage, image::drop_cached(tree, record));
}

Result<PrefetchSummary> ImageRoot::record_prefetch(const std::vector<std::string>& command) const {
  if (command.empty()) return base::refuse(Errc::invalid_spec, image_stage, "command", "no words");
  const auto record = SOCK_TRY(image::load_root_record(*impl_->store, impl_->stored));
  const auto tree = SOCK_TRY(open_root(impl_->path, O_RDONLY));
  image::PrefetchList list{.command = command, .files = {}};
  list.files = SOCK_TRY(base::in_stage(image_stage, image::find_cached(tree, record)));
  SOCK_TRY(image::save_prefetch_list(*impl_->store, impl_->stored.chain, list));
  return summary_of(list);
}

Result<std::vector<PrefetchSummary>> ImageRoot::prefetch_lists() const {
  std::vector<PrefetchSummary> found;
  for (const auto& list : SOCK_TRY(image::load_prefetch_lists(*impl_->store, impl_->stored.chain)))
    found.push_back(summary_of(list));
  return found;
}

}  // namespace sock
