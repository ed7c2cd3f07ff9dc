#pragma once

// Children of the test that run under a filter of the real kernel. No privilege is needed: the
// child sets no_new_privs first.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/seccomp.hpp"

#include "isolation/seccomp/program.hpp"
#include "sys/file.hpp"
#include "sys/process.hpp"

namespace sock::test {

struct Ended {
  int wait_status = -1;  ///< As waitpid() gives it; -1: it did not end in time, and was killed.
  std::string output = {};
  [[nodiscard]] bool succeeded() const {
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
  }
};

/// False when the kernel refused.
inline bool install(const SeccompPolicy& policy) {
  if (policy.program() == nullptr) return true;
  auto instructions = policy.program()->instructions;
  const sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/// Runs `payload` in a child and returns when it has ended, with what it wrote to its standard
/// output and error. Its result is the exit code; 99 means that the filter was not installed.
inline Ended run_filtered(const SeccompPolicy& policy, const std::function<int()>& payload) {
  const UniqueFd output{::memfd_create("output", MFD_CLOEXEC)};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(output.get(), STDOUT_FILENO);
    ::dup2(output.get(), STDERR_FILENO);
    ::_exit(install(policy) ? payload() : 99);
  }
  Ended ended;
  const auto pidfd = sys::open_pidfd(pid);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  const bool in_time = pidfd.has_value() && sys::wait_readable(*pidfd, deadline).value_or(false);
  if (!in_time) ::kill(pid, SIGKILL);  // our own unreaped child: the number is still its own
  ::waitpid(pid, &ended.wait_status, 0);
  if (!in_time) ended.wait_status = -1;
  ended.output = sys::reread(output).value_or("(output too long)");
  return ended;
}

/// As run_filtered(), for a program found in PATH. Exit code 127 when there is none.
inline Ended run_program(const SeccompPolicy& policy, const std::vector<std::string>& words) {
  return run_filtered(policy, [&] {
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    return 127;
  });
}

}  // namespace sock::test
