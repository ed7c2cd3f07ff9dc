// The doctor: probes, and one container started for real.

#include "sock/check.hpp"

#include <algorithm>

#include "sock/host.hpp"

#include "checkpoint/criu_worker.hpp"
#include "isolation/features.hpp"
#include "sys/probe.hpp"
#include "sys/spawn.hpp"

namespace sock {
namespace {

using Outcome = Check::Outcome;

struct FeatureText {
  std::string_view name;
  std::string_view lost;
  std::string_view since;
};
constexpr FeatureText feature_texts[]{
    {"detached_roots", "roots are put together in each child instead of cloned: about 0.2 ms more",
     "Linux 6.15"},
    {"landlock_scopes", "each isolated container makes a network namespace: about 0.4 ms more",
     "Linux 6.12 with Landlock in its lsm= list"},
    {"clone3", "children are moved into their cgroup after they exist", "Linux 5.3"},
    {"clone_into_cgroup", "children are moved into their cgroup after they exist", "Linux 5.7"},
    {"cgroup_kill", "containers without a pid namespace are killed process by process",
     "Linux 5.14"},
    {"proc_from_outside", "zygotes: containers can be created, but not forked", "Linux 6.17"},
};
static_assert(std::size(feature_texts) == isolation::features.size());

Check feature_check(const isolation::Feature& feature, const isolation::KernelFeatures& found) {
  Check check{.name = std::string{feature.name}, .outcome = Outcome::ok, .detail = "yes"};
  if (found.*feature.member) return check;
  const auto* text = std::ranges::find(feature_texts, feature.name, &FeatureText::name);
  check.outcome = Outcome::degraded;
  check.detail = "missing";
  check.lost = text->lost;
  check.remedy = "a kernel from " + std::string{text->since};
  return check;
}

Check failed(std::string name, const Error& error) {
  return {.name = std::move(name),
          .outcome = Outcome::failed,
          .detail = error.message(),
          .lost = "containers cannot be started",
          .remedy = error.hint.empty() ? "see the message" : error.hint};
}

Check cgroup_check(CgroupBackend backend) {
  Check check{.name = "cgroups", .outcome = Outcome::ok, .detail = std::string{to_string(backend)}};
  if (backend == CgroupBackend::none) {
    check.outcome = Outcome::degraded;
    check.lost = "limits, statistics and pausing";
    check.remedy =
        "run as root, or below a delegated cgroup (systemd-run --user --scope -p Delegate=yes)";
  }
  return check;
}

struct Facility {
  std::string_view name;
  bool found;
  Outcome without;
  std::string_view lost;
  std::string_view remedy;
};

std::vector<Check> facility_checks() {
  const Facility facilities[]{
      {"seccomp", sys::has_seccomp_filters(), Outcome::failed, "containers cannot be started",
       "a kernel with CONFIG_SECCOMP_FILTER"},
      {"user_namespaces", sys::UserNamespaceHolder::start().has_value(), Outcome::degraded,
       "root in a container, and Hosts without root",
       "sysctl user.max_user_namespaces, and any sysctl or AppArmor rule that restricts them"},
      {"fast_cgroup_joins", sys::favors_cgroup_changes(), Outcome::degraded,
       "a container that is started after a pause waits 0.2 to 4 ms to enter its cgroup",
       "mount -o remount,favordynmods CGROUP-MOUNT, which makes every fork of the machine a little "
       "slower"},
      {"io_uring", sys::has_io_uring(), Outcome::degraded,
       "a little time when images are prefetched, which threads then do",
       "sysctl kernel.io_uring_disabled=0"},
  };
  std::vector<Check> checks;
  for (const Facility& facility : facilities) {
    Check check{.name = std::string{facility.name}, .outcome = Outcome::ok, .detail = "yes"};
    if (!facility.found) {
      check.outcome = facility.without;
      check.detail = "missing";
      check.lost = facility.lost;
      check.remedy = facility.remedy;
    }
    checks.push_back(std::move(check));
  }
  return checks;
}

Check criu_check(const HostOptions& options) {
  const auto version = checkpoint::probe_criu(options.criu);
  if (version.has_value())
    return {.name = "criu", .outcome = Outcome::ok, .detail = "CRIU " + *version};
  const Error& why = version.error();
  return {.name = "criu",
          .outcome = Outcome::degraded,
          .detail = why.code == Errc::not_found ? "missing" : printable(why.hint),
          .lost = "checkpoint and restore",
          .remedy = "scripts/install-criu, or CRIU 4.2.1 or newer; and root"};
}

// Everything that matters, tried: a root, namespaces, the filter, an exec, a limit where there is a
// cgroup to set it.
Check start_check(Host& host) {
  ContainerSpec spec{
      .name = "check", .rootfs = {.base = std::string{host_image}}, .argv = {"true"}};
  auto container = host.create(spec);
  if (!container) return failed("container", container.error());
  const auto status = container->wait();
  if (!status) return failed("container", status.error());
  Check check{.name = "container", .outcome = Outcome::ok, .detail = "started and ended"};
  if (!status->ok()) {
    check.outcome = Outcome::failed;
    check.detail = "`true` ended with " + std::string{to_string(status->kind)} + " " +
                   std::to_string(status->value);
    check.lost = "containers cannot be started";
    check.remedy = "report this with the output of `sockctl check --format json`";
  }
  return check;
}

}  // namespace

std::vector<Check> check(const HostOptions& options) {
  std::vector<Check> checks;
  const auto found = isolation::without(isolation::probe_features(), options.without);
  if (!found) return {failed("options", found.error())};
  for (const isolation::Feature& feature : isolation::features)
    checks.push_back(feature_check(feature, *found));
  for (Check& facility : facility_checks()) checks.push_back(std::move(facility));
  checks.push_back(criu_check(options));
  auto host = Host::open(options);
  if (!host) {
    checks.push_back(failed("host", host.error()));
    return checks;
  }
  checks.push_back({.name = "host", .outcome = Outcome::ok, .detail = "opened"});
  checks.push_back(cgroup_check(host->cgroup_backend()));
  checks.push_back(start_check(*host));
  return checks;
}

}  // namespace sock
