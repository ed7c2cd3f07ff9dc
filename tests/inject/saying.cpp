// Lines on standard output, each written at once.

#include "saying.hpp"

#include <cstdio>

#include <signal.h>

namespace sock::test {

int fail(const Error& error) {
  std::printf("error %s: %s\n", std::string{to_string(error.stage)}.c_str(),
              error.message().c_str());
  std::fflush(stdout);
  return failed;
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void wait_at_gate() {
  say("gate");
  sigset_t go;
  ::sigemptyset(&go);
  ::sigaddset(&go, SIGUSR1);
  // An EINTR storm may interrupt it.
  while (::sigwaitinfo(&go, nullptr) != SIGUSR1) {
  }
}

}  // namespace sock::test
