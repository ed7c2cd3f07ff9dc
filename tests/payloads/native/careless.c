/* Handlers that do what a zygote must survive, one for each BEHAVIOUR. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/handler.h"

static void* wait_for_ever(void* unused) {
  for (;;) pause();
  return unused;
}

static void start_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_ever, NULL);
}

static void start_process(void) {
  if (fork() == 0) wait_for_ever(NULL);
}

/* What popen() and the like do, but with exit(): its hooks must not answer for the zygote. */
static void wait_for_process(void) {
  const pid_t child = fork();
  if (child == 0) exit(0);
  waitpid(child, NULL, 0);
}

static void share_memory(void) {
  mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static const char* init(void) {
  const char* what = BEHAVIOUR;
  if (strcmp(what, "refuses") == 0) return "its licence has expired";
  if (strcmp(what, "exits") == 0) exit(3);
  if (strcmp(what, "leaves") == 0) _exit(3);
  if (strcmp(what, "crashes") == 0) raise(SIGSEGV);
  if (strcmp(what, "waits") == 0) wait_for_ever(NULL);
  if (strcmp(what, "closes_all") == 0)
    for (int i = 0; i < 256; ++i) close(i);
  if (strcmp(what, "forks") == 0) (void)!fork();
  if (strcmp(what, "shares_memory") == 0) share_memory();
  if (strcmp(what, "starts_thread") == 0) start_thread();
  if (strcmp(what, "starts_process") == 0) start_process();
  if (strcmp(what, "waits_for_process") == 0) wait_for_process();
  return NULL;
}

static void after_fork(void) {
  if (strcmp(BEHAVIOUR, "crashes_in_children") == 0) *(volatile int*)NULL = 1;
}

static int nothing(int argc, char** argv) {
  return argc - argc + (argv == NULL);
}

const sock_handler sock_handler_v1 = {
    .size = sizeof(sock_handler), .init = init, .after_fork = after_fork, .main = nothing};
