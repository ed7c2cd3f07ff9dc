// The bounds of resource limits: what the kernel would refuse without a name, or take for another
// number.

#include <chrono>
#include <cstdint>

#include "base/try.hpp"
#include "container/checked_spec.hpp"

namespace sock::container {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t most_bytes = INT64_MAX;
// KERNEL: kernel/sched takes quotas below 2^44 us, which this is for every period.
constexpr std::int64_t most_processors = 100'000;
constexpr std::uint32_t most_pids = 4'194'304;  // KERNEL: PID_MAX_LIMIT

std::unexpected<Error> bad(std::string subject, std::string why) {
  return base::refuse(Errc::invalid_spec, Stage::validate, std::move(subject), std::move(why));
}

Result<> check_memory(const Resources& resources) {
  if (resources.memory_max && *resources.memory_max < page)
    return bad("memory_max", "at least 4096 bytes");
  if (resources.memory_max && *resources.memory_max > most_bytes)
    return bad("memory_max", "at most 2^63-1 bytes; leave it empty for no limit");
  if (resources.swap_max && *resources.swap_max > most_bytes)
    return bad("swap_max", "at most 2^63-1 bytes; leave it empty for no limit");
  return {};
}

Result<> check_cpu(const Resources& resources) {
  if (resources.cpu_period.count() < 1000 || resources.cpu_period.count() > 1'000'000)
    return bad("cpu_period", "from 1 ms to 1 s");
  if (resources.cpu_quota && resources.cpu_quota->count() < 1000)
    return bad("cpu_quota", "at least 1 ms in each period");
  if (resources.cpu_quota && *resources.cpu_quota > most_processors * resources.cpu_period)
    return bad("cpu_quota", "at most 100000 times the period; leave it empty for no limit");
  if (resources.cpu_weight && (*resources.cpu_weight < 1 || *resources.cpu_weight > 10'000))
    return bad("cpu_weight", "from 1 to 10000");
  return {};
}

}  // namespace

Result<> check(const Resources& resources) {
  SOCK_TRY(check_memory(resources));
  SOCK_TRY(check_cpu(resources));
  if (resources.pids_max && (*resources.pids_max < 1 || *resources.pids_max > most_pids))
    return bad("pids_max", "from 1 to 4194304; leave it empty for no limit");
  return {};
}

}  // namespace sock::container
