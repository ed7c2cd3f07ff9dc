#pragma once

// The few system calls of sock-restorer with their types. No C library: constants and structures
// are the kernel's own, results are negative errno values.

#include <cstddef>
#include <cstdint>

#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>

#include "sys/raw.hpp"

namespace sock::restorer {

[[noreturn]] inline void exit(int code) noexcept {
  for (;;) sys::raw::call(__NR_exit_group, code);
}

inline long map(std::uint64_t begin, std::uint64_t size, int protection, int flags, int file,
                std::uint64_t offset) noexcept {
  return sys::raw::call(__NR_mmap, begin, size, protection, flags | MAP_FIXED, file, offset);
}
inline long unmap(std::uint64_t begin, std::uint64_t size) noexcept {
  return sys::raw::call(__NR_munmap, begin, size);
}
inline long move(std::uint64_t from, std::uint64_t size, std::uint64_t to) noexcept {
  return sys::raw::call(__NR_mremap, from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}
inline long advise(std::uint64_t begin, std::uint64_t size, int advice) noexcept {
  return sys::raw::call(__NR_madvise, begin, size, advice);
}
inline long protect(std::uint64_t begin, std::uint64_t size, int protection) noexcept {
  return sys::raw::call(__NR_mprotect, begin, size, protection);
}
inline long read_at(int file, std::uint64_t to, std::uint64_t size, std::uint64_t offset) noexcept {
  return sys::raw::call(__NR_pread64, file, to, size, offset);
}
inline int open_for_reading(const char* path) noexcept {
  return static_cast<int>(
      sys::raw::call(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}
inline void close(int file) noexcept {
  sys::raw::call(__NR_close, file);
}
inline void send(int socket, const void* bytes, std::size_t size) noexcept {
  sys::raw::call(__NR_write, socket, bytes, size);
}
/// Drops what has arrived. KERNEL: an end with something unread takes away from the other end what
/// it was sent last.
inline void drop_message(int socket) noexcept {
  constexpr int dont_wait = 0x40;  // MSG_DONTWAIT
  char byte = 0;
  sys::raw::call(__NR_recvfrom, socket, &byte, sizeof byte, dont_wait, nullptr, nullptr);
}
inline long status(int file, struct stat& status) noexcept {
  return sys::raw::call(__NR_fstat, file, &status);
}

/// What C and C++ take for the thread pointer, and then `entry` on `stack`: nothing comes back.
[[noreturn]] inline void enter(std::uint64_t thread_pointer, std::uint64_t stack,
                               std::uint64_t entry, std::uint64_t first, std::uint64_t second,
                               std::uint64_t third) noexcept {
#if defined(__x86_64__)
  constexpr int set_fs = 0x1002;  // ARCH_SET_FS
  sys::raw::call(__NR_arch_prctl, set_fs, thread_pointer);
  __asm__ volatile(
      "mov %0, %%rsp\n\t"
      "xor %%ebp, %%ebp\n\t"
      "call *%1\n\t"
      "ud2"
      :
      : "c"(stack), "a"(entry), "D"(first), "S"(second), "d"(third)
      : "memory");
#elif defined(__aarch64__)
  __asm__ volatile("msr tpidr_el0, %0" : : "r"(thread_pointer));
  register std::uint64_t x9 __asm__("x9") = stack;
  register std::uint64_t x10 __asm__("x10") = entry;
  register std::uint64_t x0 __asm__("x0") = first;
  register std::uint64_t x1 __asm__("x1") = second;
  register std::uint64_t x2 __asm__("x2") = third;
  __asm__ volatile(
      "mov sp, %0\n\t"
      "mov x29, xzr\n\t"
      "blr %1\n\t"
      "brk 1"
      :
      : "r"(x9), "r"(x10), "r"(x0), "r"(x1), "r"(x2)
      : "memory");
#endif
  __builtin_unreachable();
}

}  // namespace sock::restorer
