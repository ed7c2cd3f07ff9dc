#pragma once

// What an import may take of the machine's memory while it is under way.

#include <cstdint>

#include "sock/container.hpp"
#include "sock/import_cache.hpp"

namespace sock::zygote {

/// As long as it lives, the domain has spec.import_memory_max bytes more than it had, and no more.
/// Relative to what it has: the pages of zygotes that have ended stay with those that they have
/// forked, however long these live. Best effort: nothing is limited where memory is not counted.
/// Thread safety: none.
class ImportAllowance {
 public:
  ImportAllowance(Container& domain, const ImportCacheSpec& spec);
  ~ImportAllowance();
  ImportAllowance(const ImportAllowance&) = delete;
  ImportAllowance& operator=(const ImportAllowance&) = delete;

  /// Whether somebody in the domain was killed for it: not necessarily who has taken most.
  [[nodiscard]] bool was_exceeded() const;

 private:
  Container& domain_;
  const Resources& usual_;
  std::uint64_t kills_before_ = 0;
  bool is_bounded_ = false;
};

}  // namespace sock::zygote
