/* orphans N: N processes whose parents end before them, within five seconds. Says how many there
 * were. */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const long wanted = argc > 1 ? atol(argv[1]) : 0;
  const time_t deadline = time(NULL) + 5;
  atomic_long* orphans =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  signal(SIGCHLD, SIG_IGN);
  while (atomic_load(orphans) < wanted && time(NULL) < deadline) {
    const pid_t parent = fork();
    if (parent == 0) {
      signal(SIGCHLD, SIG_DFL); /* An orphan that is faster than its parent still needs a reaper. */
      if (fork() >= 0) return 0;
      atomic_fetch_sub(orphans, 1); /* No room for it, nor for the one that it would have been. */
      return 1;
    }
    if (parent > 0)
      atomic_fetch_add(orphans, 1);
    else
      sched_yield(); /* Init may be slower than we are: a full table empties, unless nobody reaps.
                      */
  }
  wait(NULL); /* Until the last parent has ended, as nobody waits for them. */
  printf("%ld\n", atomic_load(orphans));
  return 0;
}
