#pragma once

// From a process that has its namespaces and can see its root to one that holds nothing but what
// its payload may have. In the order of these functions; the same for a process that will call
// execve (lib/child/run.cpp) and for one that a zygote has forked (zygote/server).
//
// The rules of child::run hold: raw system calls only. A step that fails reports and ends the
// process.

#include "child/plan.hpp"

namespace sock::child {

void join_cgroups(const Plan& plan) noexcept;
void enter_namespaces(const Plan& plan) noexcept;
/// The root, the ids, the capabilities and Landlock's scope; and no signal handler of the past.
void give_up_privilege(const Plan& plan) noexcept;
/// Last: session, descriptors, limits, signal mask and the filter.
void prepare_payload(const Plan& plan) noexcept;

}  // namespace sock::child
