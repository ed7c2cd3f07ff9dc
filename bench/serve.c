// See serve.h. The first creator is kept for the whole run, as an embedding program would; those of
// `rate` are opened before its clock starts.

#include "serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_creators = 64, most_lives = 100000, most_stages = 32 };

double now_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int settle(const struct subject* subject, void* creator) {
  return subject->settle ? subject->settle(creator) : 0;
}

static int run(const struct subject* subject, void* creator, int lives) {
  double* durations = calloc((size_t)lives, sizeof *durations);
  if (!durations) return -1;
  int failed = 0;
  for (int i = 0; i < lives && !failed; ++i) {
    const double start = now_microseconds();
    failed = subject->live(creator);
    durations[i] = now_microseconds() - start;
    if (!failed) failed = settle(subject, creator);
  }
  if (!failed) {
    for (int i = 0; i < lives; ++i) printf("%s%.2f", i ? " " : "", durations[i]);
    putchar('\n');
  }
  free(durations);
  return failed;
}

struct rate_thread {
  const struct subject* subject;
  void* creator;
  pthread_barrier_t* ready;
  atomic_bool* stop;
  pthread_t thread;
  long lives;
  int failed;
};

static void* create_until_stopped(void* argument) {
  struct rate_thread* self = argument;
  pthread_barrier_wait(self->ready);
  while (!self->failed && !atomic_load_explicit(self->stop, memory_order_relaxed)) {
    self->failed = self->subject->live(self->creator);
    if (!self->failed) self->failed = settle(self->subject, self->creator);
    ++self->lives;
  }
  return NULL;
}

// Lives per second over all threads. Counted until the last thread has ended, so that a life that
// was under way at the end is paid for.
static int measure_rate(struct rate_thread* threads, int creators, int milliseconds) {
  pthread_barrier_t ready;
  atomic_bool stop = false;
  pthread_barrier_init(&ready, NULL, (unsigned)creators + 1);
  for (int i = 0; i < creators; ++i) {
    threads[i].ready = &ready;
    threads[i].stop = &stop;
    if (pthread_create(&threads[i].thread, NULL, create_until_stopped, &threads[i])) abort();
  }
  pthread_barrier_wait(&ready);
  const double start = now_microseconds();
  const struct timespec duration = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&duration, NULL);
  atomic_store(&stop, true);
  long lives = 0;
  int failed = 0;
  for (int i = 0; i < creators; ++i) {
    pthread_join(threads[i].thread, NULL);
    lives += threads[i].lives;
    failed |= threads[i].failed;
  }
  pthread_barrier_destroy(&ready);
  if (!failed) printf("%.1f\n", (double)lives * 1e6 / (now_microseconds() - start));
  return failed;
}

static int rate(const struct subject* subject, int creators, int milliseconds) {
  struct rate_thread threads[most_creators] = {0};
  int failed = 0;
  int opened = 0;
  for (; opened < creators && !failed; ++opened) {
    threads[opened].subject = subject;
    threads[opened].creator = subject->open_creator(subject->context);
    if (!threads[opened].creator) {
      failed = -1;
      break;
    }
    failed = subject->live(threads[opened].creator);  // warm
    if (!failed) failed = settle(subject, threads[opened].creator);
  }
  if (!failed) failed = measure_rate(threads, creators, milliseconds);
  for (int i = 0; i < opened; ++i) subject->close_creator(threads[i].creator);
  return failed;
}

static int compare_doubles(const void* left, const void* right) {
  const double a = *(const double*)left, b = *(const double*)right;
  return (a > b) - (a < b);
}

static int stages(const struct subject* subject, void* creator, int lives) {
  struct stage_time times[most_stages];
  double* samples = calloc((size_t)lives * most_stages, sizeof *samples);
  if (!samples) return -1;
  size_t count = 0;
  int failed = 0;
  for (int i = 0; i < lives && !failed; ++i) {
    failed = subject->live(creator);
    if (!failed) failed = settle(subject, creator);
    count = subject->stages ? subject->stages(creator, times, most_stages) : 0;
    for (size_t s = 0; s < count; ++s)
      samples[s * (size_t)lives + (size_t)i] = times[s].microseconds;
  }
  for (size_t s = 0; s < count && !failed; ++s) {
    double* column = samples + s * (size_t)lives;
    qsort(column, (size_t)lives, sizeof *column, compare_doubles);
    printf("%s%s=%.2f", s ? " " : "", times[s].name, column[lives / 2]);
  }
  if (!failed) putchar('\n');
  free(samples);
  return failed;
}

static int answer(const struct subject* subject, void* creator, const char* line) {
  int first = 0;
  int second = 0;
  if (sscanf(line, "run %d", &first) == 1 && first > 0 && first <= most_lives)
    return run(subject, creator, first);
  if (sscanf(line, "rate %d %d", &first, &second) == 2 && first > 0 && first <= most_creators)
    return rate(subject, first, second);
  if (sscanf(line, "stages %d", &first) == 1 && first > 0 && first <= most_lives)
    return stages(subject, creator, first);
  if (subject->keep && sscanf(line, "keep %d", &first) == 1 && first >= 0)
    return subject->keep(subject->context, first);
  fprintf(stderr, "not a command: %s", line);
  return -1;
}

int serve(const struct subject* subject) {
  signal(SIGPIPE, SIG_IGN);  // the reader may go first; what was made must still be removed
  void* creator = subject->open_creator(subject->context);
  if (!creator) return -1;
  int failed = 0;
  char line[128];
  while (!failed && fgets(line, sizeof line, stdin)) {
    failed = answer(subject, creator, line);
    fflush(stdout);
  }
  subject->close_creator(creator);
  return failed;
}
