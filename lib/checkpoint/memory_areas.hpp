#pragma once

// What a process has mapped, as /proc/PID/smaps tells it. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

namespace sock::checkpoint {

struct MemoryArea {
  std::uint64_t begin;
  std::uint64_t end;
  int protection;  ///< PROT_*
  bool is_shared;
  std::uint64_t offset;  ///< In its file.
  std::string file;      ///< "DEVICE INODE" as the kernel writes them; empty: anonymous memory.
  std::string name;      ///< "[vdso]", "[stack]", a path as it is seen from here, or nothing.
  std::vector<std::string> flags;  ///< The kernel's two-letter words (VmFlags): "rd", "mr", ...

  [[nodiscard]] bool has(std::string_view flag) const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept { return end - begin; }
};

/// On failure: Errc::corrupt.
Result<std::vector<MemoryArea>> parse_smaps(std::string_view text);

}  // namespace sock::checkpoint
