#pragma once

// System calls without a C library: for code that runs between clone3 and execve in memory shared
// with a threaded parent (lib/child), and for the static sock-init. Results are the kernel's own:
// negative errno values, no thread-local state touched.

#include <cstdint>
#include <type_traits>

#include <sys/syscall.h>

namespace sock::sys::raw {

#if defined(__x86_64__)
inline long call(long number, long a, long b, long c, long d, long e, long f) noexcept {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call(long number, long a, long b, long c, long d, long e, long f) noexcept {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}
#else
#error "sock runs on x86_64 and aarch64"
#endif

/// A system call argument: an integer or a pointer.
template <class T>
long argument(T value) noexcept {
  if constexpr (std::is_null_pointer_v<T>)
    return 0;
  else if constexpr (std::is_pointer_v<T>)
    return reinterpret_cast<long>(value);
  else
    return static_cast<long>(value);
}

template <class... Arguments>
long call(long number, Arguments... arguments) noexcept {
  static_assert(sizeof...(arguments) <= 6);
  const long padded[6] = {argument(arguments)...};
  return call(number, padded[0], padded[1], padded[2], padded[3], padded[4], padded[5]);
}

/// What clone_on_stack() asks of the kernel: clone3 with `arguments`, or the older clone.
struct CloneRequest {
  long number;           ///< SYS_clone3 or SYS_clone
  long arguments[5];     ///< Of that system call, in its own order.
  void (*entry)(void*);  ///< Runs in the child, on the child's stack; must not return.
  void* entry_argument;
};

/// Makes a process that starts in `entry` on the stack that the request names, so that it cannot
/// damage the frames of a parent whose memory it shares. Returns in the parent only.
inline long clone_on_stack(const CloneRequest& request) noexcept {
  // Read beforehand: in a build with sanitizers reading memory is a call, and one between the
  // assignments below would overwrite the registers.
  const long number = request.number;
  const long first = request.arguments[0];
  const long second = request.arguments[1];
  const long third = request.arguments[2];
  const long fourth = request.arguments[3];
  const long fifth = request.arguments[4];
  void (*const child_entry)(void*) = request.entry;
  void* const child_argument = request.entry_argument;
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = fourth;
  register long r8 __asm__("r8") = fifth;
  register void (*entry)(void*) __asm__("r12") = child_entry;
  register void* entry_argument __asm__("r13") = child_argument;
  __asm__ volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movq %%r13, %%rdi\n\t"
      "callq *%%r12\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10), "r"(r8), "r"(entry),
        "r"(entry_argument)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = first;
  register long x1 __asm__("x1") = second;
  register long x2 __asm__("x2") = third;
  register long x3 __asm__("x3") = fourth;
  register long x4 __asm__("x4") = fifth;
  register void (*entry)(void*) __asm__("x19") = child_entry;
  register void* entry_argument __asm__("x20") = child_argument;
  __asm__ volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "brk 1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(entry), "r"(entry_argument)
      : "memory", "x30");
  return x0;
#endif
}

}  // namespace sock::sys::raw
