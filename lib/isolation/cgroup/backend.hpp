#pragma once

// Which hierarchies are used and for what: the choice between v2, v1, hybrid and none. Pure.
// Only hierarchies that carry a limit, a statistic or freezing are used; groups are never made in
// blkio, devices or cpuset.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sock/host.hpp"
#include "sock/result.hpp"

#include "isolation/cgroup/layout.hpp"

namespace sock::isolation {

enum class CgroupVersion : std::uint8_t { v1, v2 };

/// What a hierarchy is used for. On v2, `cpuacct` (cpu.stat) and `freezer` need no controller.
enum class Controller : std::uint8_t { memory, cpu, cpuacct, pids, freezer };
[[nodiscard]] std::string_view to_string(Controller) noexcept;

/// One hierarchy in use.
struct Branch {
  CgroupVersion version;
  std::string parent;  ///< Absolute directory of the cgroup below which this Host's are made.
  std::vector<Controller> controllers;
  [[nodiscard]] bool has(Controller controller) const noexcept;
};

struct BackendChoice {
  CgroupBackend backend = CgroupBackend::none;
  /// The first is the anchor: it is joined first, and what is empty there is empty everywhere. It
  /// is the v2 hierarchy, where one is used. Empty for CgroupBackend::none.
  std::vector<Branch> branches = {};
  [[nodiscard]] std::optional<std::size_t> find(Controller controller) const noexcept;
};

/// On failure: Errc::unsupported when the machine lacks an explicitly named backend, Errc::denied
/// when it has it but does not let the caller create groups.
Result<BackendChoice> choose_backend(const Layout& layout, CgroupBackend asked);

}  // namespace sock::isolation
