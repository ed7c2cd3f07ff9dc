/* A handler with a main(), which does what its first argument says. */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "sock/handler.h"

extern char** environ;

static int initialised = 0;
static int forked = 0;
static uint64_t token = 0; /* What siblings must not share. */

static void draw(void) {
  if (getrandom(&token, sizeof token, 0) != (ssize_t)sizeof token) abort();
}

static const char* init(void) {
  ++initialised;
  draw();
  srand(1);
  printf("printed by the zygote");
  getchar(); /* The end of /dev/null: remembered. */
  setenv("LEFT_BY", "the zygote", 1);
  signal(SIGTERM, SIG_IGN);
  return chdir("/tmp") < 0 ? "no /tmp" : NULL;
}

static void after_fork(void) {
  ++forked;
  draw();
}

static int say(int argc, char** argv) {
  printf("%d", (int)getpid());
  for (int i = 0; i < argc; ++i) printf(" %s", argv[i]);
  puts("");
  fputs("e\n", stderr);
  return 7;
}

static void show_file(const char* path, const char* begin) {
  char line[256];
  FILE* file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, begin, strlen(begin)) == 0) fputs(line, stdout);
  if (file != NULL) fclose(file);
}

static int count_entries(const char* path) {
  int count = 0;
  DIR* directory = opendir(path);
  while (directory != NULL && readdir(directory) != NULL) ++count;
  if (directory != NULL) closedir(directory);
  return count - 3; /* ".", ".." and the directory itself. */
}

static int show_state(void) {
  char cwd[256];
  show_file("/proc/self/status", "Name:");
  show_file("/proc/self/status", "Uid:");
  show_file("/proc/self/status", "Cap");
  show_file("/proc/self/status", "NoNewPrivs:");
  show_file("/proc/self/status", "Seccomp:");
  show_file("/proc/self/environ", "");
  puts("");
  for (char** entry = environ; *entry != NULL; ++entry) puts(*entry);
  printf("%s %d %d %d\n", getcwd(cwd, sizeof cwd), count_entries("/proc/self/fd"), initialised,
         forked);
  printf("%d\n", access("/objects", F_OK) == 0);
  return signal(SIGTERM, SIG_DFL) != SIG_DFL;
}

static int show_random(void) {
  printf("%d %ld %.17g %016llx\n", rand(), random(), drand48(), (unsigned long long)token);
  return 0;
}

static void leave(int number) {
  _exit(number == SIGTERM ? 9 : 1);
}

static int wait_for_signal(void) {
  signal(SIGTERM, leave);
  puts("up");
  fflush(stdout);
  while (pause() < 0) continue;
  return 1;
}

static int repeat(void) {
  int c = 0;
  while ((c = getchar()) != EOF) putchar(c);
  return 0;
}

static void hook(void) {
  puts("hook");
}

static int run(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "say") == 0) return say(argc, argv);
  if (strcmp(what, "state") == 0) return show_state();
  if (strcmp(what, "random") == 0) return show_random();
  if (strcmp(what, "wait") == 0) return wait_for_signal();
  if (strcmp(what, "repeat") == 0) return repeat();
  if (strcmp(what, "crash") == 0) return *(volatile int*)(uintptr_t)8;
  if (strcmp(what, "hook") == 0) return atexit(hook);
  return 2;
}

const sock_handler sock_handler_v1 = {
    .size = sizeof(sock_handler), .init = init, .after_fork = after_fork, .main = run};
