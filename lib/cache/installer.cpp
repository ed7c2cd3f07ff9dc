// Running an installer: nothing here but the public API of containers.

#include "cache/installer.hpp"

#include "base/try.hpp"
#include "sys/process.hpp"

namespace sock::cache {
namespace {

std::string end_of(const ExitStatus& status) {
  return std::string{to_string(status.kind)} + " with " + std::to_string(status.value);
}

}  // namespace

Result<> run_installer(Host& host, const InstallSpec& spec, const std::string& out) {
  ContainerSpec container = spec.container;
  container.rootfs.binds.push_back({.source = out, .target = "/out", .access = Access::read_write});
  const auto deadline = sys::deadline_in(spec.deadline);
  auto running = SOCK_TRY(host.create(container));
  const auto status = SOCK_TRY(running.wait_until(deadline));
  // Also what it has left in the background: nobody writes to /out any more.
  SOCK_TRY(running.kill());
  if (!status)
    return base::refuse(Errc::timed_out, Stage::wait, "installer", "its deadline passed");
  if (!status->ok())
    return base::refuse(Errc::launch_failed, Stage::wait, "installer", end_of(*status));
  return {};
}

}  // namespace sock::cache
