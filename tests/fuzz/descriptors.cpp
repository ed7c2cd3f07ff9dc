// Which descriptor comes next.

#include <unistd.h>

#include "input.hpp"

int sock::fuzz::next_descriptor() noexcept {
  const int next = ::dup(0);
  ::close(next);
  return next;
}
