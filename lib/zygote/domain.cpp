// A domain: a lean container whose payload is a zygote and whose init outlives it.

#include <algorithm>
#include <array>

#include <signal.h>

#include "base/try.hpp"
#include "container/container_impl.hpp"
#include "container/stage_clock.hpp"
#include "wire/runtime_target.hpp"
#include "zygote/domain_impl.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock {
namespace {

using wire::runtime_target;
using zygote::Peer;

// The first of the ids that domains get: beyond what distributions give to users, and below the
// half that some programs take for negative.
constexpr std::uint32_t first_domain_id = 0x6000'0000;
constexpr std::uint32_t ids_per_domain = 65536;
constexpr std::uint32_t most_ranges = 4096;

UserNamespace own_range(std::uint32_t number) {
  const IdRange range{.inside = 0,
                      .outside = first_domain_id + number % most_ranges * ids_per_domain,
                      .count = ids_per_domain};
  return {.uids = {range}, .gids = {range}};
}

// Libraries that start threads at import would make the process unfit to fork.
constexpr std::array single_threaded{"OMP_NUM_THREADS=1",        "OPENBLAS_NUM_THREADS=1",
                                     "MKL_NUM_THREADS=1",        "NUMEXPR_NUM_THREADS=1",
                                     "VECLIB_MAXIMUM_THREADS=1", "RAYON_NUM_THREADS=1"};

// All that making a container inside takes; nothing outside the user namespace obeys them.
std::vector<unsafe::Capability> zygote_capabilities() {
  std::vector<unsafe::Capability> all;
  for (const char* name : {"cap_sys_admin", "cap_sys_chroot", "cap_setuid", "cap_setgid",
                           "cap_setpcap", "cap_net_admin"})
    all.emplace_back(name);
  return all;
}

/// Of the runtime, in libexec; bound to runtime_target.
const char* directory_of(Runtime runtime) {
  return runtime == Runtime::native ? "/native" : "/python";
}

std::vector<std::string> command(const ZygoteDomainSpec& spec) {
  const std::string target{runtime_target};
  const std::string channel = "3";  // The first named descriptor.
  if (spec.runtime == Runtime::native) return {target + "/sock-zygote", channel};
  std::vector<std::string> argv = spec.interpreter;
  argv.insert(argv.end(), {target + "/sock_zygote.py", channel});
  return argv;
}

std::vector<std::string> environment(const ZygoteDomainSpec& spec) {
  std::vector<std::string> env(single_threaded.begin(), single_threaded.end());
  env.insert(env.end(), spec.env.begin(), spec.env.end());
  return env;
}

Identity zygote_identity() {
  return {.uid = 0, .gid = 0, .groups = {}, .capabilities = zygote_capabilities()};
}

ContainerSpec describe(const ZygoteDomainSpec& spec, const std::string& libexec,
                       const UserNamespace& maps, SeccompPolicy policy, FdRef channel) {
  ContainerSpec container{.name = spec.name, .rootfs = spec.rootfs, .argv = command(spec)};
  container.rootfs.binds.push_back(
      {.source = libexec + directory_of(spec.runtime), .target = runtime_target});
  container.env = environment(spec);
  container.identity = zygote_identity();
  container.namespaces.user = maps;
  container.resources = spec.resources;
  container.seccomp = std::move(policy);
  container.fds = {{.name = "zygote", .fd = channel}};
  container.init = Init::keeper;
  return container;
}

Result<> refuse_unable(const container::Workshop& workshop) {
  if (workshop.realms.rootless())
    return base::refuse(Errc::unsupported, Stage::validate, "zygote domain",
                        "it needs a Host with real root");
  if (!workshop.features.proc_from_outside || !workshop.features.detached_roots)
    return base::refuse(Errc::unsupported, Stage::validate, "zygote domain",
                        "it needs Linux 6.17: see proc_from_outside in `sockctl check`");
  return {};
}

}  // namespace

Result<std::unique_ptr<ZygoteDomain::Impl>> ZygoteDomain::Impl::open(container::Workshop& workshop,
                                                                     const ZygoteDomainSpec& spec,
                                                                     const zygote::Image* image,
                                                                     const std::string& libexec,
                                                                     std::uint32_t number) {
  SOCK_TRY(refuse_unable(workshop));
  if (spec.runtime == Runtime::python && spec.interpreter.empty())
    return base::refuse(Errc::invalid_spec, Stage::validate, "interpreter", "it is empty");
  const UserNamespace maps = spec.user.value_or(own_range(number));
  SeccompPolicy policy = SOCK_TRY(SeccompPolicy::zygote());
  Peer::Ends ends = SOCK_TRY(base::in_stage(Stage::fork, Peer::make()));
  ContainerSpec description = describe(spec, libexec, maps, std::move(policy), ends.there);
  if (image != nullptr) {
    description.fds.clear();
    zygote::restore_instead(*image, ends.there, description);
    SOCK_TRY(base::in_stage(Stage::restore, zygote::tell_to_serve(ends.here)));
  }
  auto started = SOCK_TRY(Container::Impl::start(
      workshop, description, [&] { return container::launch(workshop, description); }));
  std::vector<StageTiming>& timings = started->launched.timings;
  container::StageClock clock;
  std::unique_ptr<Impl> domain{new Impl{.workshop = workshop,
                                        .spec = std::make_shared<const ZygoteDomainSpec>(spec),
                                        .maps = maps,
                                        .container = Container{std::move(started)},
                                        .home = {},
                                        .first = {}}};
  ends.there.reset();  // So that the zygote's end is noticed.
  const UniqueFd pid_namespace =
      SOCK_TRY(base::in_stage(Stage::fork, sys::pid_namespace_of(domain->container.pidfd())));
  const auto inode = SOCK_TRY(base::in_stage(Stage::fork, zygote::identity_of(pid_namespace)));
  domain->home = {.keeper = domain->container.pid(), .pid_namespace = inode};
  auto first = zygote::adopt(workshop, maps, domain->spec, std::move(ends.here), domain->home);
  if (!first.has_value() && image != nullptr) first.error().stage = Stage::restore;
  domain->first = SOCK_TRY(std::move(first));
  if (image != nullptr) {
    clock.mark(Stage::restore);
    timings.push_back(clock.take().front());
  }
  return domain;
}

Result<Zygote> ZygoteDomain::Impl::start_afresh() {
  Peer::Ends ends = SOCK_TRY(base::in_stage(Stage::fork, Peer::make()));
  auto process = SOCK_TRY(container.exec({.argv = command(*spec),
                                          .env = environment(*spec),
                                          .identity = zygote_identity(),
                                          .fds = {{.name = "zygote", .fd = ends.there}}}));
  ends.there.reset();
  auto zygote = zygote::adopt(workshop, maps, spec, std::move(ends.here), home);
  if (zygote.has_value()) return Zygote{std::move(*zygote)};
  static_cast<void>(process.signal(SIGKILL).has_value());  // Nobody else knows of it.
  return std::unexpected(std::move(zygote).error());
}

ZygoteDomain::ZygoteDomain(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
ZygoteDomain::ZygoteDomain(ZygoteDomain&&) noexcept = default;
ZygoteDomain& ZygoteDomain::operator=(ZygoteDomain&&) noexcept = default;
ZygoteDomain::~ZygoteDomain() = default;

Result<Zygote> ZygoteDomain::start_zygote() {
  SOCK_TRY(container::require(impl_));
  if (impl_->first) return Zygote{std::move(impl_->first)};
  return impl_->start_afresh();
}

Container& ZygoteDomain::container() noexcept {
  return impl_->container;
}

const UserNamespace& ZygoteDomain::user_namespace() const noexcept {
  return impl_->maps;
}

}  // namespace sock
