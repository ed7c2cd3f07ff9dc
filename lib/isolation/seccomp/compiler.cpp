// Compilation, and the kernel's one limit on its result.

#include "isolation/seccomp/compiler.hpp"

#include <cerrno>

#include <linux/bpf_common.h>

#include "isolation/seccomp/emitter.hpp"
#include "isolation/seccomp/ranges.hpp"
#include "sys/error.hpp"

namespace sock::seccomp {

Result<std::vector<sock_filter>> compile(const std::map<int, Rule>& rules) {
  std::vector<sock_filter> program = emit(ranges_of(rules));
  if (program.size() > BPF_MAXINSNS) return sys::sys_error(E2BIG, "seccomp filter");
  return program;
}

}  // namespace sock::seccomp
