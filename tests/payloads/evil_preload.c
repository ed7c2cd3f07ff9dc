/* A shared object of a hostile image, or package: leaves a mark for every process that loads it. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#ifndef MARKS
#define MARKS "/marks"
#endif

static void read_link(const char* path, char* target, size_t size) {
  const ssize_t length = readlink(path, target, size - 1);
  target[length < 0 ? 0 : length] = '\0';
}

__attribute__((constructor)) static void leave_a_mark(void) {
  char program[PATH_MAX];
  char pids[64];
  char name[PATH_MAX];
  read_link("/proc/self/exe", program, sizeof program);
  read_link("/proc/self/ns/pid", pids, sizeof pids);
  snprintf(name, sizeof name, MARKS "/%s.%d", program_invocation_short_name, getpid());
  FILE* mark = fopen(name, "w");
  if (mark == NULL) return;
  fprintf(mark, "%s %s\n", pids, program);
  fclose(mark);
}
