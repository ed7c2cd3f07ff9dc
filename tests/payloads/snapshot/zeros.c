/* As allocators do that trust the kernel to clear what they have given up: says again and again
 * what is in a page after it was written to and given up. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
int main(void) {
  struct timespec pause = {0, 50000000};
  char* page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return 1;
  for (;;) {
    memset(page, 'x', 4096);
    nanosleep(&pause, 0);
    if (madvise(page, 4096, MADV_DONTNEED) != 0) return 1;
    puts(page[0] == 0 ? "zero" : "old"), fflush(stdout);
  }
}
