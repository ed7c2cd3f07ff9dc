// Does nothing until it is killed: what pausing is measured on. Without a C library.

#include <sys/syscall.h>

__attribute__((noreturn)) void _start(void);

void _start(void) {
  for (;;) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_poll), "D"(0L), "S"(0L), "d"(-1L)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_ppoll;
    register long x0 __asm__("x0") = 0;
    register long x1 __asm__("x1") = 0;
    register long x2 __asm__("x2") = 0;
    register long x3 __asm__("x3") = 0;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
#else
#error "sock runs on x86_64 and aarch64"
#endif
  }
}
