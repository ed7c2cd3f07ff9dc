#pragma once

// How a container ended, decided from what several witnesses say. Pure.

#include <cstdint>
#include <optional>

#include "sock/container.hpp"

#include "init/protocol.hpp"
#include "sys/process.hpp"

namespace sock::container {

struct Witnesses {
  std::optional<init::Report> init;       ///< From sock-init, if it got to write one.
  std::optional<sys::WaitStatus> reaped;  ///< Of the first process; empty when lost.
  std::uint64_t oom_kills = 0;
  bool timed_out = false;  ///< We killed it for its time limit.
};

/// True when Witnesses::oom_kills matters.
[[nodiscard]] bool may_be_oom(const Witnesses& witnesses);
[[nodiscard]] ExitStatus decide_status(const Witnesses& witnesses);

}  // namespace sock::container
