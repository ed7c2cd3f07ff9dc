// The odd states. Each is entered by system calls that a careless program could have made itself.

#include "odd_states.hpp"

#include <thread>

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

namespace sock::test {
namespace {

void close_standard_input() {
  ::close(0);
}

void ignore_children() {
  ::signal(SIGCHLD, SIG_IGN);
}

void delete_working_directory() {
  char path[] = "/tmp/sock-gone-XXXXXX";
  if (::mkdtemp(path) == nullptr || ::chdir(path) < 0 || ::rmdir(path) < 0) ::abort();
}

void allow_everything() {
  ::umask(0);
}

void forbid_everything() {
  ::umask(0777);
}

void allow_few_descriptors() {
  const rlimit limit{64, 64};
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Without SA_RESTART: every system call that waits is interrupted, two thousand times a second.
void interrupt_all_the_time() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, nullptr);
  const itimerval interval{{0, 500}, {0, 500}};
  ::setitimer(ITIMER_REAL, &interval, nullptr);
}

void start_many_threads() {
  constexpr int count = 200;
  for (int i = 0; i < count; ++i)
    std::thread{[] {
      for (;;) ::pause();
    }}.detach();
}

struct OddState {
  std::string_view name;
  void (*enter)();
};

constexpr OddState odd_states[] = {
    {"fd-0-closed", close_standard_input},     {"sigchld-ignored", ignore_children},
    {"cwd-deleted", delete_working_directory}, {"umask-0", allow_everything},
    {"umask-0777", forbid_everything},         {"nofile-64", allow_few_descriptors},
    {"eintr-storm", interrupt_all_the_time},   {"200-threads", start_many_threads},
};

}  // namespace

bool enter_odd_state(std::string_view name) {
  for (const OddState& state : odd_states)
    if (state.name == name) {
      state.enter();
      return true;
    }
  return false;
}

}  // namespace sock::test
