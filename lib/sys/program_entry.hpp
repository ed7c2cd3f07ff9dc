#pragma once

// Where a program without a C library starts: calls a function with what the kernel leaves for a
// new program (argc, argv, the environment, the auxiliary vector) on an aligned stack. The function
// must not return.

#if defined(__x86_64__)
#define SOCK_PROGRAM_ENTRY(function) \
  __asm__(                           \
      ".globl _start\n"              \
      "_start:\n"                    \
      "  xor %ebp, %ebp\n"           \
      "  mov %rsp, %rdi\n"           \
      "  and $-16, %rsp\n"           \
      "  call " function "\n");
#elif defined(__aarch64__)
#define SOCK_PROGRAM_ENTRY(function) \
  __asm__(                           \
      ".globl _start\n"              \
      "_start:\n"                    \
      "  mov x29, #0\n"              \
      "  mov x30, #0\n"              \
      "  mov x0, sp\n"               \
      "  bl " function "\n");
#endif
