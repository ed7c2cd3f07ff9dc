#pragma once

// From the structures of sock.h to those of the C++ interface. Only what C++ types cannot express
// (unknown flags and enumerators, missing pointers) is refused here; the rest is Host::create()'s.

#include "sock/host.hpp"
#include "sock/sock.h"
#include "sock/spec.hpp"

namespace sock::c_api {

Result<HostOptions> to_options(const sock_host_options* given);
Result<ContainerSpec> to_spec(const sock_container_spec* given);
Result<ExecSpec> to_exec_spec(const sock_exec_spec* given);
Result<Resources> to_resources(const sock_limits& limits);

}  // namespace sock::c_api
