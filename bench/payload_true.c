// The smallest payload: exits with 0. Without a C library, so that what is measured is the
// container and not the start of a libc.

#include <sys/syscall.h>

__attribute__((noreturn)) void _start(void);

void _start(void) {
  for (;;) {
#if defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0L) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_exit_group;
    register long x0 __asm__("x0") = 0;
    __asm__ volatile("svc 0" : : "r"(x8), "r"(x0) : "memory");
#else
#error "sock runs on x86_64 and aarch64"
#endif
  }
}
