/* getpid through the 32-bit gate, which a filter for the 64-bit calls alone would miss. */
#include <stdio.h>

int main(void) {
  long result = 20; /* __NR_getpid of i386 */
#if defined(__x86_64__)
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
#else
  result = -38;
#endif
  printf("%ld\n", result);
  return 0;
}
