#pragma once

// A spec that has passed every check that needs no system call: names turned into numbers, paths
// clean, defaults filled in. Pure.

#include <string>
#include <vector>

#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "isolation/process_limits.hpp"

namespace sock::container {

struct CheckedSpec {
  Rootfs rootfs;
  std::string cwd;
  isolation::CapabilitySet capabilities;
  std::vector<isolation::ResourceLimit> rlimits;
  std::vector<std::string> programs;  ///< What to try to execute, in order.
};

/// On failure: Stage::validate, with the field and what is wrong with it.
Result<CheckedSpec> check(const ContainerSpec& spec);

/// Of a container, or a snapshot.
Result<> check_name(const std::string& name);

/// Those of a spec, and those that update() gives a running container.
Result<> check(const Resources& resources);

/// The checks that create() and exec() share.
struct CheckedCommand {
  std::string cwd;
  isolation::CapabilitySet capabilities;
  std::vector<std::string> programs;
};
Result<CheckedCommand> check(const ExecSpec& spec);

}  // namespace sock::container
