// Names of capabilities and resource limits.

#include "isolation/process_limits.hpp"

#include <algorithm>
#include <array>

#include <sys/capability.h>
#include <sys/resource.h>

#include "base/try.hpp"

namespace sock::isolation {
namespace {

struct RlimitName {
  std::string_view name;
  int resource;
};
constexpr std::array rlimit_names{
    RlimitName{"as", RLIMIT_AS},
    RlimitName{"core", RLIMIT_CORE},
    RlimitName{"cpu", RLIMIT_CPU},
    RlimitName{"data", RLIMIT_DATA},
    RlimitName{"fsize", RLIMIT_FSIZE},
    RlimitName{"memlock", RLIMIT_MEMLOCK},
    RlimitName{"msgqueue", RLIMIT_MSGQUEUE},
    RlimitName{"nice", RLIMIT_NICE},
    RlimitName{"nofile", RLIMIT_NOFILE},
    RlimitName{"nproc", RLIMIT_NPROC},
    RlimitName{"rss", RLIMIT_RSS},
    RlimitName{"rtprio", RLIMIT_RTPRIO},
    RlimitName{"rttime", RLIMIT_RTTIME},
    RlimitName{"sigpending", RLIMIT_SIGPENDING},
    RlimitName{"stack", RLIMIT_STACK},
};

}  // namespace

Result<CapabilitySet> find_capabilities(std::span<const unsafe::Capability> named) {
  CapabilitySet set;
  for (const unsafe::Capability& capability : named) {
    cap_value_t value = 0;
    // Only whole names: libcap takes numbers too, and would take any.
    if (!capability.name.starts_with("cap_") ||
        ::cap_from_name(capability.name.c_str(), &value) < 0)
      return base::refuse(Errc::invalid_spec, Stage::validate,
                          "capability \"" + capability.name + "\"",
                          "no such capability; names are like cap_net_raw, see capabilities(7)");
    set.bits |= std::uint64_t{1} << static_cast<unsigned>(value);
  }
  return set;
}

Result<std::vector<ResourceLimit>> find_rlimits(std::span<const Rlimit> named) {
  if (named.size() > 64)
    return base::refuse(Errc::invalid_spec, Stage::validate, "rlimits", "at most 64");
  std::vector<ResourceLimit> limits;
  bool core_named = false;
  for (const Rlimit& limit : named) {
    const auto* known = std::ranges::find(rlimit_names, limit.name, &RlimitName::name);
    if (known == rlimit_names.end())
      return base::refuse(Errc::invalid_spec, Stage::validate, "rlimit \"" + limit.name + "\"",
                          "no such limit; names are like nofile, see getrlimit(2)");
    core_named = core_named || known->resource == RLIMIT_CORE;
    limits.push_back({.resource = known->resource, .value = limit.value});
  }
  if (!core_named) limits.push_back({.resource = RLIMIT_CORE, .value = 0});
  return limits;
}

}  // namespace sock::isolation
