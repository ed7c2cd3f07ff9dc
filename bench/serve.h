// The line protocol that bench/peers speaks with each measuring program, so that nothing of Python
// is ever inside a measured interval. Commands on stdin, one answer line each on stdout:
//   run N                      N durations in microseconds, separated by spaces
//   rate CREATORS MILLISECONDS lives per second with that many threads
//   stages N                   "name=median-microseconds" for each stage of N lives
//   keep N                     from now on N others are there; "name=figure" for what they hold
// A life is everything from the start of one container to its being reaped and given back. At the
// end of stdin the program cleans up and exits.

#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stage_time {
  const char* name;
  double microseconds;
};

// What is measured. Every function returns 0, or -1 after it has said why on stderr.
struct subject {
  void* context;
  // A creator is used by one thread at a time; each thread of `rate` gets its own.
  void* (*open_creator)(void* context);
  int (*live)(void* creator);
  // What follows a life without belonging to it: not timed by `run` and `stages`, but paid for by
  // `rate`. May be null.
  int (*settle)(void* creator);
  // The stages of the creator's last life. Null where there are none.
  size_t (*stages)(void* creator, struct stage_time* times, size_t capacity);
  void (*close_creator)(void* creator);
  // Makes others like it, which stay, or ends some, until there are `count`; prints the answer.
  // Null where nothing else can be there.
  int (*keep)(void* context, int count);
};

double now_microseconds(void);
int serve(const struct subject* subject);

#ifdef __cplusplus
}
#endif
