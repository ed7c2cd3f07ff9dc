#pragma once

// A container in the foreground. Its Host lives as long as the call; if the process is killed, the
// container's init and the janitor end what it started.

#include "globals.hpp"
#include "run_options.hpp"
#include "run_report.hpp"

namespace sockctl {

/// Until it has ended. Its stdio is ours.
Result<sock::ExitStatus> run_foreground(const Globals& globals, const RunOptions& options,
                                        sock::ContainerSpec spec, RunReport& report);

}  // namespace sockctl
