/* As allocators do that trust the kernel to clear what they have given up: writes to a page, and at
 * each SIGUSR1 gives it up and says what is in it then. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
int main(void) {
  int number;
  sigset_t signals;
  char* page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return 1;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, 0);
  memset(page, 'x', 4096);
  puts("ready"), fflush(stdout);
  while (sigwait(&signals, &number) == 0) {
    if (madvise(page, 4096, MADV_DONTNEED) != 0) return 1;
    puts(page[0] == 0 ? "zero" : "old"), fflush(stdout);
    memset(page, 'x', 4096);
  }
  return 0;
}
