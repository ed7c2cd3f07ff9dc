#pragma once

// A Host's own directory in one hierarchy, between the delegated parent and the groups.

#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "isolation/cgroup/backend.hpp"

namespace sock::isolation {

/// Makes `name` below the branch's parent, with the branch's controllers enabled for the groups
/// below it. On failure: Errc::denied with a hint when v2's parent has processes of its own, which
/// forbids it to have controllers below.
Result<UniqueFd> make_instance_directory(const Branch& branch, const std::string& name);

}  // namespace sock::isolation
