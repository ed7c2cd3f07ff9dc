// sock_process of the C interface.

#include "base/try.hpp"
#include "c_api/handles.hpp"
#include "c_api/sized.hpp"
#include "c_api/status.hpp"

using sock::Result;
using sock::c_api::at_border;
using sock::c_api::require;

int sock_process_pidfd(const sock_process* process) {
  return process == nullptr ? -1 : process->process->pidfd().get();
}

int sock_process_pid(const sock_process* process) {
  return process == nullptr ? -1 : process->process->pid();
}

int sock_process_terminal(const sock_process* process) {
  return process == nullptr ? -1 : process->process->terminal().get();
}

int sock_process_wait(sock_process* process, sock_exit_status* ret_status, sock_error** error) {
  return sock_process_wait_for(process, UINT64_MAX, ret_status, error);
}

int sock_process_wait_for(sock_process* process, uint64_t timeout_ms, sock_exit_status* ret_status,
                          sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(process, "process"));
    SOCK_TRY(sock::c_api::check_output(ret_status, "ret_status"));
    const auto deadline = sock::c_api::deadline_in(timeout_ms);
    const auto status = SOCK_TRY(process->process->wait_until(deadline));
    sock::c_api::write_sized(sock::c_api::to_status(status), ret_status);
    return {};
  });
}

int sock_process_signal(sock_process* process, int number, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(process, "process"));
    return process->process->signal(number);
  });
}

void sock_process_free(sock_process* process) {
  delete process;
}
