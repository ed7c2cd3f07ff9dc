// Planning of limits.

#include "isolation/cgroup/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

#include "base/try.hpp"

namespace sock::isolation {
namespace {

using std::chrono::microseconds;
using Amount = std::optional<std::uint64_t>;

constexpr microseconds default_period{100'000};

std::string text(Amount amount, const char* unlimited) {
  return amount ? std::to_string(*amount) : unlimited;
}

std::string named(const char* limit, Amount amount) {
  return std::string{limit} + " " + text(amount, "unlimited");
}

/// Swap is limited on top of memory, so it has no limit where memory has none.
Amount effective_swap(const Resources& resources) {
  return resources.memory_max ? resources.swap_max : Amount{};
}

microseconds effective_period(const Resources& resources) {
  return resources.cpu_quota ? resources.cpu_period : default_period;
}

std::string named_quota(const Resources& resources) {
  if (!resources.cpu_quota) return "cpu_quota unlimited";
  return "cpu_quota " + std::to_string(resources.cpu_quota->count()) + "us per " +
         std::to_string(resources.cpu_period.count()) + "us";
}

class Plan {
 public:
  void add(LimitWrite write) {
    if (write.value != write.previous) writes_.push_back(std::move(write));
  }
  std::vector<LimitWrite> take() && { return std::move(writes_); }

 private:
  std::vector<LimitWrite> writes_;
};

void plan_memory_v2(Plan& plan, const Resources& from, const Resources& to) {
  plan.add({.controller = Controller::memory,
            .file = "memory.max",
            .value = text(to.memory_max, "max"),
            .previous = text(from.memory_max, "max"),
            .limit = named("memory_max", to.memory_max)});
  plan.add({.controller = Controller::memory,
            .file = "memory.swap.max",
            .value = text(effective_swap(to), "max"),
            .previous = text(effective_swap(from), "max"),
            .limit = named("swap_max", effective_swap(to)),
            .absence = Absence::tolerated});
}

/// v1 limits the sum of memory and swap.
Amount memory_and_swap(const Resources& resources) {
  const Amount swap = effective_swap(resources);
  if (!swap) return {};
  const std::uint64_t room = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t memory = std::min(*resources.memory_max, room);
  return memory + std::min(*swap, room - memory);
}

/// KERNEL: v1 refuses a state in which the sum is below the memory limit, even for a moment: the
/// sum goes first when it rises, and last when it falls.
void plan_memory_v1(Plan& plan, const Resources& from, const Resources& to) {
  const Amount old_sum = memory_and_swap(from);
  const Amount new_sum = memory_and_swap(to);
  LimitWrite memory{.controller = Controller::memory,
                    .file = "memory.limit_in_bytes",
                    .value = text(to.memory_max, "-1"),
                    .previous = text(from.memory_max, "-1"),
                    .limit = named("memory_max", to.memory_max)};
  LimitWrite sum{.controller = Controller::memory,
                 .file = "memory.memsw.limit_in_bytes",
                 .value = text(new_sum, "-1"),
                 .previous = text(old_sum, "-1"),
                 .limit = named("swap_max", effective_swap(to)),
                 .absence = Absence::tolerated};
  const bool rises = !new_sum || (old_sum && *new_sum >= *old_sum);
  if (rises) plan.add(std::move(sum));
  plan.add(std::move(memory));
  if (!rises) plan.add(std::move(sum));
}

void plan_cpu_v2(Plan& plan, const Resources& from, const Resources& to) {
  const auto bandwidth = [](const Resources& resources) {
    const std::string quota =
        resources.cpu_quota ? std::to_string(resources.cpu_quota->count()) : "max";
    return quota + " " + std::to_string(effective_period(resources).count());
  };
  plan.add({.controller = Controller::cpu,
            .file = "cpu.max",
            .value = bandwidth(to),
            .previous = bandwidth(from),
            .limit = named_quota(to)});
  plan.add({.controller = Controller::cpu,
            .file = "cpu.weight",
            .value = std::to_string(to.cpu_weight.value_or(100)),
            .previous = std::to_string(from.cpu_weight.value_or(100)),
            .limit = named("cpu_weight", to.cpu_weight)});
}

/// The kernel's own conversion: 100, the default weight, is 1024, the default shares.
std::string shares(std::optional<std::uint32_t> weight) {
  return std::to_string(std::max<std::uint64_t>(2, weight.value_or(100) * 1024ULL / 100));
}

void plan_cpu_v1(Plan& plan, const Resources& from, const Resources& to) {
  const auto quota = [](const Resources& resources) {
    return resources.cpu_quota ? std::to_string(resources.cpu_quota->count()) : "-1";
  };
  const auto write_quota = [&](std::string value, std::string previous) {
    plan.add({.controller = Controller::cpu,
              .file = "cpu.cfs_quota_us",
              .value = std::move(value),
              .previous = std::move(previous),
              .limit = named_quota(to)});
  };
  if (effective_period(from) == effective_period(to)) {
    write_quota(quota(to), quota(from));
  } else {
    // The old quota with the new period may be more than the parent has: lift it in between.
    write_quota("-1", quota(from));
    plan.add({.controller = Controller::cpu,
              .file = "cpu.cfs_period_us",
              .value = std::to_string(effective_period(to).count()),
              .previous = std::to_string(effective_period(from).count()),
              .limit = named_quota(to)});
    write_quota(quota(to), "-1");
  }
  plan.add({.controller = Controller::cpu,
            .file = "cpu.shares",
            .value = shares(to.cpu_weight),
            .previous = shares(from.cpu_weight),
            .limit = named("cpu_weight", to.cpu_weight)});
}

std::unexpected<Error> refuse_missing(Controller controller, std::string limit) {
  return base::refuse(Errc::unsupported, Stage::cgroup, std::move(limit),
                      "no " + std::string{to_string(controller)} +
                          " controller is available to this Host; delegate it, or drop the limit");
}

}  // namespace

LimitFiles limit_files(const BackendChoice& choice) noexcept {
  const auto version = [&](Controller controller) -> std::optional<CgroupVersion> {
    const auto branch = choice.find(controller);
    if (!branch) return {};
    return choice.branches[*branch].version;
  };
  return {.memory = version(Controller::memory),
          .cpu = version(Controller::cpu),
          .pids = version(Controller::pids)};
}

Resources no_limits() noexcept {
  return {.memory_max = {}, .swap_max = {}, .cpu_quota = {}, .cpu_weight = {}, .pids_max = {}};
}

Result<> check_limits(const Resources& resources, const LimitFiles& files) {
  const Resources defaults;
  if (resources.memory_max && !files.memory)
    return refuse_missing(Controller::memory, named("memory_max", resources.memory_max));
  if (resources.cpu_quota && !files.cpu)
    return refuse_missing(Controller::cpu, named_quota(resources));
  if (resources.cpu_weight && !files.cpu)
    return refuse_missing(Controller::cpu, named("cpu_weight", resources.cpu_weight));
  if (resources.pids_max && resources.pids_max != defaults.pids_max && !files.pids)
    return refuse_missing(Controller::pids, named("pids_max", resources.pids_max));
  if (resources.swap_max.value_or(0) != 0 && !resources.memory_max)
    return base::refuse(Errc::invalid_spec, Stage::cgroup, named("swap_max", resources.swap_max),
                        "swap is limited on top of memory_max: set that too");
  if (resources.cpu_weight && (*resources.cpu_weight < 1 || *resources.cpu_weight > 10'000))
    return base::refuse(Errc::invalid_spec, Stage::cgroup,
                        named("cpu_weight", resources.cpu_weight), "it is 1 to 10000");
  return {};
}

std::vector<LimitWrite> plan_limits(const Resources& from, const Resources& to,
                                    const LimitFiles& files) {
  Plan plan;
  if (files.memory)
    (files.memory == CgroupVersion::v2 ? plan_memory_v2 : plan_memory_v1)(plan, from, to);
  if (files.cpu) (files.cpu == CgroupVersion::v2 ? plan_cpu_v2 : plan_cpu_v1)(plan, from, to);
  if (files.pids)
    plan.add({.controller = Controller::pids,
              .file = "pids.max",
              .value = text(to.pids_max, "max"),
              .previous = text(from.pids_max, "max"),
              .limit = named("pids_max", to.pids_max)});
  return std::move(plan).take();
}

Error explain_refusal(Error error, const LimitWrite& write) {
  error.stage = Stage::cgroup;
  error.subject = write.limit;
  if (error.sys_errno == EBUSY && write.controller == Controller::memory)
    error.hint = "the container uses more than this, and the kernel could not reclaim it";
  else if (error.sys_errno == EINVAL && write.controller == Controller::cpu)
    error.hint =
        "a quota is at least 1000us, a period 1000us to 1000000us, and their ratio not above the "
        "parent cgroup's";
  else if (error.sys_errno == EINVAL)
    error.hint = "the kernel does not take this value for " + std::string{write.file};
  else if (error.code == Errc::not_found)
    error.hint = "this kernel has no " + std::string{write.file};
  else if (error.code == Errc::denied)
    error.hint = "the parent cgroup is not delegated to this user";
  return error;
}

}  // namespace sock::isolation
