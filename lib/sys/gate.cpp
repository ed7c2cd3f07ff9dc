// The waiting process of a UserNamespaceHolder: raw system calls and its own stack only.

#include "sys/gate.hpp"

#include "sys/raw.hpp"

namespace sock::sys {

void wait_at_gate(void* argument) noexcept {
  const int* ends = static_cast<int*>(argument);
  // With its own writer closed, the end of the parent ends it too.
  raw::call(SYS_close, ends[1]);
  char byte;
  raw::call(SYS_read, ends[0], &byte, 1);
  for (;;) raw::call(SYS_exit_group, 0);
}

}  // namespace sock::sys
