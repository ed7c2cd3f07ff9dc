// A limit that comes and goes.

#include "zygote/import_allowance.hpp"

#include <algorithm>

namespace sock::zygote {

ImportAllowance::ImportAllowance(Container& domain, const ImportCacheSpec& spec)
    : domain_{domain}, usual_{spec.domain.resources} {
  if (!spec.import_memory_max) return;
  const auto stats = domain_.stats();
  if (!stats.has_value() || !stats->memory_current) return;
  constexpr std::uint64_t most = INT64_MAX / 2;
  const std::uint64_t wanted =
      std::min(*stats->memory_current, most) + std::min(*spec.import_memory_max, most);
  kills_before_ = stats->oom_kills.value_or(0);
  Resources bounded = usual_;
  bounded.memory_max = std::min(usual_.memory_max.value_or(wanted), wanted);
  is_bounded_ = domain_.update(bounded).has_value();
}

ImportAllowance::~ImportAllowance() {
  if (is_bounded_) static_cast<void>(domain_.update(usual_).has_value());
}

bool ImportAllowance::was_exceeded() const {
  const auto stats = is_bounded_ ? domain_.stats() : Result<Stats>{};
  return stats.has_value() && stats->oom_kills.value_or(0) > kills_before_;
}

}  // namespace sock::zygote
