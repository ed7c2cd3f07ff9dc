// clone3 in line: the child of a call with CLONE_VM runs on the parent's stack, so it must not
// return from any function that the parent has yet to return from.

#pragma once

#include <linux/sched.h>
#include <sys/syscall.h>

static inline __attribute__((always_inline)) long clone3(struct clone_args* arguments) {
  long result;
#if defined(__x86_64__)
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments)
                   : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_clone3;
  register long x0 __asm__("x0") = (long)arguments;
  register long x1 __asm__("x1") = (long)sizeof *arguments;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
  result = x0;
#else
#error "sock runs on x86_64 and aarch64"
#endif
  return result;
}
