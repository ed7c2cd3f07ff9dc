// The image, the filter and the network of a container.

#include "launch.hpp"

#include <fcntl.h>

#include "image_store.hpp"
#include "package_cache.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

// The root becomes a directory like any other; what the command line leaves open is the image's to
// say.
Result<RunOptions> take_image(const RunOptions& options, std::optional<sock::ImageRoot>& image) {
  const auto store = SOCKCTL_TRY(open_image_store(options.image_store));
  image = SOCKCTL_TRY(store.use(options.image));
  std::optional<sock::Identity> identity;
  if (options.user.empty()) identity = SOCKCTL_TRY(image->identity());
  auto filled = SOCKCTL_TRY(with_image_config(options, image->image().config, identity));
  filled.rootfs = image->path();
  return filled;
}

// It only makes the start faster: a damaged list costs a word, not the container.
std::optional<sock::Prefetch> start_prefetch(const sock::ImageRoot& image, const Launch& launch,
                                             sock::LoadEngine engine) {
  auto started = image.prefetch(launch.spec.argv, {.engine = engine});
  if (started.has_value()) return std::move(*started);
  complain(describe(started.error()) + "; the image starts without prefetching");
  return std::nullopt;
}

}  // namespace

Result<Launch> prepare_launch(const RunOptions& given, const Caller& caller) {
  std::optional<sock::ImageRoot> image;
  RunOptions options = given;
  if (uses_image(given)) options = SOCKCTL_TRY(take_image(given, image));
  auto spec = SOCKCTL_TRY(to_spec(options, caller));
  if (image) spec.rootfs.shift_owners = image->rootfs().shift_owners;
  auto packages = SOCKCTL_TRY(declare_packages(options, spec.rootfs, spec.env));
  Launch launch{.spec = std::move(spec),
                .network = {},
                .image = std::move(image),
                .packages = std::move(packages)};
  // Before all else: it takes as long as the rest of the start.
  const auto engine = SOCKCTL_TRY(parse_prefetch(options.prefetch));
  if (launch.image && engine) launch.prefetch = start_prefetch(*launch.image, launch, *engine);
  auto& network = launch.spec.namespaces.network;
  const auto choice = SOCKCTL_TRY(parse_network(options.net));
  if (choice.kind == sock::Network::Kind::host) {
    network = sock::Network::host(sock::unsafe::HostNetwork{});
  } else if (choice.kind == sock::Network::Kind::join && choice.fd >= 0) {
    network = sock::Network::join(sock::FdRef{choice.fd});
  } else if (choice.kind == sock::Network::Kind::join) {
    launch.network = SOCKCTL_TRY(open_at(here, choice.path, O_RDONLY | O_NONBLOCK));
    network = sock::Network::join(launch.network);
  }
  const Filter filter = SOCKCTL_TRY(parse_filter(options.seccomp));
  if (filter == Filter::strict) launch.spec.seccomp = SOCKCTL_TRY(sock::SeccompPolicy::strict());
  if (filter == Filter::unconfined)
    launch.spec.seccomp = sock::SeccompPolicy::none(sock::unsafe::AllowAllSyscalls{});
  return launch;
}

}  // namespace sockctl
