// sock_host of the C interface.

#include "base/try.hpp"
#include "c_api/handles.hpp"
#include "c_api/sized.hpp"
#include "c_api/spec.hpp"

using sock::Result;
using sock::c_api::at_border;
using sock::c_api::require;

int sock_host_open(const sock_host_options* options, sock_host** ret_host, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(ret_host, "ret_host"));
    const auto host_options = SOCK_TRY(sock::c_api::to_options(options));
    auto handle = std::make_unique<sock_host>();
    handle->host = SOCK_TRY(sock::Host::open(host_options));
    *ret_host = handle.release();
    return {};
  });
}

const char* sock_host_cgroup_backend(const sock_host* host) {
  return host == nullptr ? "" : to_string(host->host->cgroup_backend()).data();
}

void sock_host_close(sock_host* host) {
  delete host;
}

int sock_host_recover(const char* state_dir, sock_recovery* ret_recovery, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(state_dir, "state_dir"));
    if (ret_recovery != nullptr) SOCK_TRY(sock::c_api::check_output(ret_recovery, "ret_recovery"));
    const auto recovery = SOCK_TRY(sock::Host::recover(state_dir));
    if (ret_recovery == nullptr) return {};
    sock_recovery result{};
    result.hosts = recovery.hosts;
    result.processes = recovery.processes;
    result.cgroups = recovery.cgroups;
    result.files = recovery.files;
    sock::c_api::write_sized(result, ret_recovery);
    return {};
  });
}
