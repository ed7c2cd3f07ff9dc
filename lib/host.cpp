// The library's one root object: opens the state directory, prepares the workshop, creates.

#include "sock/host.hpp"

#include <atomic>
#include <mutex>

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/restore.hpp"
#include "checkpoint/zygote_snapshot.hpp"
#include "container/container_impl.hpp"
#include "container/workshop.hpp"
#include "isolation/cgroup/pool.hpp"
#include "isolation/features.hpp"
#include "state/instance.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "zygote/domain_impl.hpp"
#include "zygote/import_cache_impl.hpp"
#include "zygote/restoring.hpp"

namespace sock {

/// Destroyed from the bottom up: the workshop empties its cgroups, the instance removes its record,
/// and the janitor, woken last, finds nothing to do.
struct Host::Impl {
  state::Janitor janitor;
  state::Instance instance;
  std::unique_ptr<container::Workshop> workshop;
  std::string libexec;
  std::atomic<std::uint32_t> domains = 0;

  /// sock-restorer as nobody can change it, made when it is first asked for.
  Result<FdRef> restorer();
  Result<Container> fork(const SnapshotInUse& snapshot, const ContainerSpec& spec);

  std::mutex mutex = {};  // guards what follows
  UniqueFd restorer_copy = {};
};

Result<FdRef> Host::Impl::restorer() {
  constexpr mode_t restorer_mode = 0555;
  const std::scoped_lock lock{mutex};
  if (!restorer_copy) {
    const auto program = SOCK_TRY(base::in_stage(
        Stage::state, sys::open(sys::cwd, libexec + "/restorer/sock-restorer", O_RDONLY)));
    restorer_copy = SOCK_TRY(
        base::in_stage(Stage::state, sys::sealed_copy(program, "sock-restorer", restorer_mode)));
  }
  // Whoever ran it as root of the machine could have changed what the seal leaves open.
  SOCK_TRY(base::in_stage(Stage::state, sys::set_mode_of(restorer_copy, restorer_mode)));
  return restorer_copy.ref();
}

Host::Host(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Host::Host(Host&&) noexcept = default;
Host& Host::operator=(Host&&) noexcept = default;

Host::~Host() = default;

Result<Host> Host::open(const HostOptions& options) {
  const std::string libexec =
      options.libexec_dir.empty() ? std::string{SOCK_LIBEXEC_DIR} : options.libexec_dir;
  const auto features = SOCK_TRY(isolation::without(isolation::probe_features(), options.without));
  SeccompPolicy policy = SOCK_TRY(SeccompPolicy::handler());
  // What cannot be removed now (a process stuck in the kernel) must not keep this Host from
  // opening; recover() tells.
  static_cast<void>(recover(options.state_dir).has_value());
  state::Instance instance = SOCK_TRY(state::Instance::create(options.state_dir));
  auto cgroups = SOCK_TRY(isolation::CgroupPool::plan(options.cgroup, features, instance.id()));
  // Recorded and watched before the first of them exists.
  SOCK_TRY(instance.record_cgroups(cgroups->directories()));
  state::Janitor janitor = SOCK_TRY(
      state::Janitor::start(libexec + "/sock-janitor", instance.state_dir(), instance.id()));
  SOCK_TRY(cgroups->prepare());
  auto workshop =
      std::make_unique<container::Workshop>(features, std::move(policy), std::move(cgroups));
  SOCK_TRY(container::equip(*workshop, libexec + "/sock-init"));
  workshop->criu = options.criu;
  SOCK_TRY(janitor.await());  // It went into the background meanwhile.
  std::unique_ptr<Impl> impl{new Impl{.janitor = std::move(janitor),
                                      .instance = std::move(instance),
                                      .workshop = std::move(workshop),
                                      .libexec = libexec}};
  return Host{std::move(impl)};
}

Result<Container> Host::create(const ContainerSpec& spec) {
  SOCK_TRY(container::require(impl_));
  auto impl = SOCK_TRY(Container::Impl::start(
      *impl_->workshop, spec, [&] { return container::launch(*impl_->workshop, spec); }));
  return Container{std::move(impl)};
}

Result<Container> Host::restore(const SnapshotInUse& snapshot, const RestoreOptions& options) {
  SOCK_TRY(container::require(impl_));
  SOCK_TRY(container::require(snapshot.impl_));
  const ContainerSpec spec = checkpoint::spec_to_restore(*snapshot.impl_, options);
  auto impl = SOCK_TRY(Container::Impl::start(*impl_->workshop, spec, [&] {
    return checkpoint::restore(*impl_->workshop, *snapshot.impl_, spec, options.deadline);
  }));
  return Container{std::move(impl)};
}

Result<ZygoteDomain> Host::open_domain(const ZygoteDomainSpec& spec) {
  SOCK_TRY(container::require(impl_));
  auto impl = SOCK_TRY(
      ZygoteDomain::Impl::open(*impl_->workshop, spec, nullptr, impl_->libexec, impl_->domains++));
  return ZygoteDomain{std::move(impl)};
}

Result<ZygoteDomain> Host::open_domain(const SnapshotInUse& snapshot,
                                       const RestoreDomainOptions& options) {
  SOCK_TRY(container::require(impl_));
  SOCK_TRY(container::require(snapshot.impl_));
  auto image = SOCK_TRY(checkpoint::open_zygote_image(*snapshot.impl_));
  image.domain.name = options.name;
  image.domain.user = options.user;
  if (options.resources) image.domain.resources = *options.resources;
  const FdRef restorer = SOCK_TRY(impl_->restorer());
  const zygote::Image files{.plan = image.plan, .pages = image.pages, .restorer = restorer};
  snapshot.impl_->working_set->fetch(snapshot.impl_->images, image.pages);
  auto impl = SOCK_TRY(ZygoteDomain::Impl::open(*impl_->workshop, image.domain, &files,
                                                impl_->libexec, impl_->domains++));
  return ZygoteDomain{std::move(impl)};
}

Result<Container> Host::Impl::fork(const SnapshotInUse& snapshot, const ContainerSpec& spec) {
  SOCK_TRY(container::require(snapshot.impl_));
  const auto image = SOCK_TRY(checkpoint::open_zygote_image(*snapshot.impl_));
  if (image.domain.runtime != Runtime::python)
    return base::refuse(Errc::unsupported, Stage::validate, "runtime",
                        "only of Python's zygotes; others need a domain, see open_domain()");
  const FdRef program = SOCK_TRY(restorer());
  const zygote::Image files{.plan = image.plan, .pages = image.pages, .restorer = program};
  checkpoint::WorkingSet& working_set = *snapshot.impl_->working_set;
  working_set.fetch(snapshot.impl_->images, image.pages);
  auto started = SOCK_TRY(Container::Impl::start(*workshop, spec, [&] {
    return zygote::launch_restored(*workshop, files, spec, image.domain.deadline);
  }));
  working_set.record(started->launched.pidfd, image.plan, image.pages);
  return Container{std::move(started)};
}

Result<Container> Host::fork(const SnapshotInUse& snapshot, const ContainerSpec& spec) {
  SOCK_TRY(container::require(impl_));
  return impl_->fork(snapshot, spec);
}

Result<ImportCache> Host::open_import_cache(ImportCacheSpec spec) {
  SOCK_TRY(container::require(impl_));
  Impl* const impl = impl_.get();
  const auto open_domain = [impl](const ZygoteDomainSpec& domain) -> Result<ZygoteDomain> {
    auto opened = SOCK_TRY(
        ZygoteDomain::Impl::open(*impl->workshop, domain, nullptr, impl->libexec, impl->domains++));
    return ZygoteDomain{std::move(opened)};
  };
  const auto create = [impl](const ContainerSpec& container) -> Result<Container> {
    auto created = SOCK_TRY(Container::Impl::start(
        *impl->workshop, container, [&] { return container::launch(*impl->workshop, container); }));
    return Container{std::move(created)};
  };
  const auto fork = [impl](const SnapshotInUse& snapshot, const ContainerSpec& container) {
    return impl->fork(snapshot, container);
  };
  auto cache = SOCK_TRY(ImportCache::Impl::open(
      {.open_domain = open_domain,
       .create = create,
       .fork = fork,
       .runtime = impl->libexec + "/python",
       .init = cgroup_backend() == CgroupBackend::none ? Init::reaper : Init::none},
      std::move(spec)));
  return ImportCache{std::move(cache)};
}

CgroupBackend Host::cgroup_backend() const noexcept {
  return impl_ ? impl_->workshop->cgroups->backend() : CgroupBackend::none;
}

Result<Recovery> Host::recover(const std::string& state_dir) {
  return state::recover(state_dir);
}

}  // namespace sock
