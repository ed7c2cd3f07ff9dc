// Times programs from outside: posix_spawn (a vfork in glibc) to reaped, speaking the protocol of
// serve.h.
//   usage: time_exec PROGRAM [ARGUMENT...]
// Every "%n" in an argument becomes a name that is unique on this machine while the program runs;
// OCI runtimes need one per container. The programs get /dev/null as stdin and stdout.

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve.h"

extern char** environ;

enum { most_arguments = 128, name_size = 32 };

struct command {
  char** argv;
  posix_spawn_file_actions_t files;
};

static atomic_long next_number;

// `argument` with "%n" replaced; from malloc.
static char* expand(const char* argument, const char* name) {
  char* expanded = malloc(strlen(argument) + name_size);
  if (!expanded) abort();
  const char* mark = strstr(argument, "%n");
  if (!mark) return strcpy(expanded, argument);
  sprintf(expanded, "%.*s%s%s", (int)(mark - argument), argument, name, mark + 2);
  return expanded;
}

static int spawn_and_reap(struct command* command, char** argv) {
  pid_t pid;
  const int error = posix_spawnp(&pid, argv[0], &command->files, NULL, argv, environ);
  if (error) {
    fprintf(stderr, "%s: %s\n", argv[0], strerror(error));
    return -1;
  }
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  fprintf(stderr, "%s: ended with wait status %#x\n", argv[0], (unsigned)status);
  return -1;
}

static int live(void* creator) {
  struct command* command = creator;
  char name[name_size];
  snprintf(name, sizeof name, "sock-bench-%d-%ld", (int)getpid(),
           atomic_fetch_add(&next_number, 1));
  char* argv[most_arguments] = {0};
  for (size_t i = 0; command->argv[i]; ++i) argv[i] = expand(command->argv[i], name);
  const int failed = spawn_and_reap(command, argv);
  for (size_t i = 0; argv[i]; ++i) free(argv[i]);
  return failed;
}

static void* open_creator(void* context) {
  return context;
}
static void close_creator(void* creator) {
  (void)creator;
}

int main(int argc, char** argv) {
  if (argc < 2 || argc >= most_arguments) {
    fprintf(stderr, "usage: time_exec PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  struct command command = {.argv = argv + 1};
  posix_spawn_file_actions_init(&command.files);
  posix_spawn_file_actions_addopen(&command.files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&command.files, 1, "/dev/null", O_WRONLY, 0);
  const struct subject subject = {.context = &command,
                                  .open_creator = open_creator,
                                  .live = live,
                                  .close_creator = close_creator};
  const int failed = serve(&subject);
  posix_spawn_file_actions_destroy(&command.files);
  return failed ? 1 : 0;
}
