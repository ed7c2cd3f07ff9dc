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

Result<ExitStatus> run_with_out(Host& host, ContainerSpec container,
                                std::chrono::milliseconds deadline, const std::string& out) {
  container.rootfs.binds.push_back({.source = out, .target = "/out", .access = Access::read_write});
  const auto until = sys::deadline_in(deadline);
  auto running = SOCK_TRY(host.create(container));
  const auto status = SOCK_TRY(running.wait_until(until));
  // Also what it has left in the background: nobody writes to /out any more.
  SOCK_TRY(running.kill());
  if (!status)
    return base::refuse(Errc::timed_out, Stage::wait, container.argv.front(),
                        "its deadline passed");
  return *status;
}

Result<> run_installer(Host& host, const InstallSpec& spec, const std::string& out) {
  const auto status = SOCK_TRY(run_with_out(host, spec.container, spec.deadline, out));
  if (!status.ok())
    return base::refuse(Errc::launch_failed, Stage::wait, "installer", end_of(status));
  return {};
}

}  // namespace sock::cache
