// As a dump of a container: written where nobody sees it, hashed, described, and then published in
// one step.

#include "checkpoint/zygote_snapshot.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/process_pages.hpp"

namespace sock::checkpoint {
namespace {

constexpr const char* snapshot_name = "snapshot";  // In staging.

/// What of a domain's spec is a container's too.
ContainerSpec as_container(const ZygoteDomainSpec& domain) {
  ContainerSpec spec{.name = domain.name, .rootfs = domain.rootfs, .argv = domain.interpreter};
  spec.env = domain.env;
  spec.resources = domain.resources;
  return spec;
}

ZygoteDomainSpec as_domain(const Manifest& manifest) {
  const ContainerSpec& spec = manifest.spec;
  return {.name = spec.name,
          .rootfs = spec.rootfs,
          .runtime = manifest.zygote->runtime,
          .interpreter = spec.argv,
          .env = spec.env,
          .resources = spec.resources,
          .deadline = manifest.zygote->deadline};
}

store::Digest vdso_digest() {
  return store::Digest::of(sys::own_vdso());
}

}  // namespace

Result<Snapshot> write_zygote_snapshot(const SnapshotDirectory& directory,
                                       const CheckpointOptions& options,
                                       const ZygoteDomainSpec& domain, const ParkedProcess& process,
                                       sys::Deadline deadline) {
  const auto staging = SOCK_TRY(store::Staging::create(directory));
  const auto snapshot = SOCK_TRY(staging.make_dir(snapshot_name));
  for (const char* const part : {images_name, scratch_name})
    SOCK_TRY(sys::make_dir(snapshot, part, 0700));
  const auto images = SOCK_TRY(sys::open_beneath(snapshot, images_name, O_RDONLY | O_DIRECTORY));
  SOCK_TRY(write_process_image(process, images, deadline));
  Manifest manifest{.spec = as_container(domain),
                    .origins = options.origins,
                    .created = std::chrono::system_clock::now(),
                    .processes = 1,
                    .zygote = ZygoteState{.runtime = domain.runtime,
                                          .deadline = domain.deadline,
                                          .vdso = vdso_digest()},
                    .annotation = options.annotation};
  manifest.machine = SOCK_TRY(this_machine());
  manifest.files = SOCK_TRY(hash_files(images, deadline));
  const auto text = SOCK_TRY(write_manifest(staging, snapshot_name, manifest));
  SOCK_TRY(staging.sync());
  SOCK_TRY(publish(directory, staging, snapshot_name, options.name));
  return describe(manifest, options.name, text);
}

Result<ZygoteImage> open_zygote_image(const SnapshotInUse::Impl& snapshot) {
  const Manifest& manifest = snapshot.manifest;
  if (!manifest.zygote)
    return base::refuse(Errc::invalid_spec, Stage::validate, "snapshot " + snapshot.snapshot.name,
                        "it is a container's: Host::restore() makes one of it");
  const auto here = SOCK_TRY(base::in_stage(Stage::validate, this_machine()));
  SOCK_TRY(require_compatible(manifest.machine, here));
  // The process has found its functions there when it started.
  if (manifest.zygote->vdso != vdso_digest())
    return base::refuse(Errc::unsupported, Stage::validate, "kernel " + manifest.machine.kernel,
                        "the snapshot was written under it; this is " + here.kernel);
  auto plan = SOCK_TRY(
      base::in_stage(Stage::validate, sys::open_beneath(snapshot.images, plan_name, O_RDONLY)));
  auto pages = SOCK_TRY(
      base::in_stage(Stage::validate, sys::open_beneath(snapshot.images, pages_name, O_RDONLY)));
  return ZygoteImage{
      .domain = as_domain(manifest), .plan = std::move(plan), .pages = std::move(pages)};
}

}  // namespace sock::checkpoint
