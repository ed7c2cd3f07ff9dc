#pragma once

// From Resources to the files that must be written: pure. Only what differs from the limits that
// hold already is written, so that a reused group usually costs nothing.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "isolation/cgroup/backend.hpp"

namespace sock::isolation {

/// Which version of the files each controller has here; empty where there is no such controller.
struct LimitFiles {
  std::optional<CgroupVersion> memory = {};
  std::optional<CgroupVersion> cpu = {};
  std::optional<CgroupVersion> pids = {};
};
[[nodiscard]] LimitFiles limit_files(const BackendChoice& choice) noexcept;

enum class Absence : std::uint8_t {
  refused,
  tolerated,  ///< The kernel may be built or booted without the file (swap accounting).
};

struct LimitWrite {
  Controller controller;
  std::string_view file;
  std::string value;
  std::string previous;  ///< What the file holds before: writing it undoes this write.
  std::string limit;     ///< For errors: "memory_max 4096".
  Absence absence = Absence::refused;
};

/// What a group has that nobody has written to.
[[nodiscard]] Resources no_limits() noexcept;

/// On failure: Errc::unsupported for a limit whose controller is missing, Errc::invalid_spec for
/// values that no kernel takes. The defaults of pids_max and swap_max do not count as asked for.
Result<> check_limits(const Resources& resources, const LimitFiles& files);

/// The writes that lead from one set of limits to another, in an order in which each is valid.
/// Undoing them in reverse order is valid too. Limits without a controller are left out.
[[nodiscard]] std::vector<LimitWrite> plan_limits(const Resources& from, const Resources& to,
                                                  const LimitFiles& files);

/// The refusal of a write by the kernel, with what to do about it.
[[nodiscard]] Error explain_refusal(Error error, const LimitWrite& write);

}  // namespace sock::isolation
