// Tells when its first instruction ran: writes CLOCK_MONOTONIC as a struct timespec to descriptor
// 1 and exits. Without a C library, hence a real system call instead of the vDSO.

#include <sys/syscall.h>
#include <time.h>

__attribute__((noreturn)) void _start(void);

#if defined(__x86_64__)
static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
#else
#error "sock runs on x86_64 and aarch64"
#endif

void _start(void) {
  struct timespec now;
  call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
  const long written = call(SYS_write, 1, (long)&now, sizeof now);
  for (;;) call(SYS_exit_group, written == (long)sizeof now ? 0 : 1, 0, 0);
}
