#pragma once

// What an ELF file tells of how its code uses memory. Pure: whoever asks reads the file.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "sock/result.hpp"

namespace sock::checkpoint {

struct ElfTraits {
  bool has_interpreter = false;  ///< Otherwise a program is linked statically.
  /// Among the symbols that it takes from, or gives to, others.
  bool names_madvise = false;
  bool names_mremap = false;
  bool is_go = false;
};

/// At most `size` bytes from an offset; fewer at the end of the file.
using ReadAt = std::function<Result<std::string>(std::uint64_t offset, std::size_t size)>;

/// On failure: Errc::corrupt for what is no 64-bit ELF file of this byte order; what `read` says.
Result<ElfTraits> read_elf_traits(const ReadAt& read);

}  // namespace sock::checkpoint
