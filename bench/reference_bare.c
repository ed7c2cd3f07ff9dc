// Nothing but a process: what clone3 and execve cost on their own. See reference.h.

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clone3.h"
#include "reference.h"

static __attribute__((noinline, noreturn)) void exec_program(const char* program, int output) {
  char* const argv[] = {(char*)program, NULL};
  char* const env[] = {NULL};
  if (output >= 0) syscall(SYS_dup3, output, 1, 0);
  syscall(SYS_execve, program, argv, env);
  syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}

static __attribute__((noinline)) long start(const char* program, int output, int* pidfd) {
  struct clone_args arguments = {.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD,
                                 .pidfd = (uint64_t)(uintptr_t)pidfd,
                                 .exit_signal = SIGCHLD};
  const long pid = clone3(&arguments);
  if (pid == 0) exec_program(program, output);
  return pid;
}

int reference_bare(const char* program, int output) {
  int pidfd = -1;
  const long pid = start(program, output, &pidfd);
  siginfo_t info = {0};
  const int failed = pid < 0 || waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) ||
                     info.si_code != CLD_EXITED || info.si_status != 0;
  if (pidfd >= 0) close(pidfd);
  if (failed) fprintf(stderr, "reference: %s did not run\n", program);
  return failed ? -1 : 0;
}
