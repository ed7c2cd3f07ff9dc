/* Four threads that take turns, a variable of each thread's own, and a timer: a line for each
 * round. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn, ticks;
static __thread long mine;
static void on_tick(int signal) {
  (void)signal;
  __atomic_fetch_add(&ticks, 1, __ATOMIC_SEQ_CST);
}
static void* work(void* argument) {
  long self = (long)argument;
  for (;;) {
    pthread_mutex_lock(&lock);
    while (turn % 4 != self) pthread_cond_wait(&changed, &lock);
    ++mine;
    if (self == 0)
      printf("turn %ld own %ld ticks %s\n", turn, mine, ticks > turn / 40 ? "yes" : "no"),
          fflush(stdout);
    ++turn;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, 0);
  }
}
int main(void) {
  signal(SIGUSR1, on_tick);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  timer_t timer;
  struct itimerspec each = {{0, 10000000}, {0, 10000000}};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &each, 0)) return 1;
  pthread_t threads[4];
  for (long i = 0; i < 4; ++i) pthread_create(&threads[i], 0, work, (void*)i);
  for (;;) pthread_join(threads[0], 0);
}
