// Limits as text.

#include "limits.hpp"

#include "parse.hpp"

namespace sockctl {

Result<sock::Resources> limits_over(sock::Resources limits, const RunOptions& options) {
  if (!options.memory.empty())
    limits.memory_max = SOCKCTL_TRY(parse_size("--memory", options.memory));
  if (!options.cpus.empty()) limits.cpu_quota = SOCKCTL_TRY(parse_cpus(options.cpus));
  if (!options.pids.empty()) limits.pids_max = SOCKCTL_TRY(parse_pids(options.pids));
  return limits;
}

}  // namespace sockctl
