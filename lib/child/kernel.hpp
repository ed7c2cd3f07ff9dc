#pragma once

// Numbers and shapes of the kernel that the child needs in a form without a C library, and the
// indices by which a Report names steps that are not in a list.

#include <cstdint>

#include <fcntl.h>
#include <linux/openat2.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

namespace sock::child {

// The kernel's structure, not the C library's.
struct KernelSigaction {
  std::uint64_t handler;  ///< 0: SIG_DFL
  std::uint64_t flags;
  std::uint64_t restorer;
  std::uint64_t mask;
};

inline constexpr long landlock_restrict_self = 446;

inline constexpr long error_not_found = 2;
inline constexpr long error_too_many = 7;
inline constexpr long error_access = 13;
inline constexpr long error_not_directory = 20;

inline constexpr std::uint32_t fd_index = 500'000;  ///< Plus the descriptor's number.
inline constexpr std::uint32_t proc_index = 1'000'000;
inline constexpr std::uint32_t cwd_index = 1'000'001;
inline constexpr std::uint32_t init_index = 1'000'002;

}  // namespace sock::child
