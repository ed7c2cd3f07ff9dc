#pragma once

// Memory that is mapped from a file of pages comes back as it is in the file, not as zeros, when a
// process gives it up with madvise(MADV_DONTNEED). The C library's allocator clears what it gives
// out; jemalloc, V8, the Go runtime and others take for granted that the kernel has. Here it is
// judged by its programs and libraries whether a process may rely on that. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/elf_traits.hpp"

namespace sock::checkpoint {

/// One that the process has code of.
struct LoadedObject {
  std::string path;
  bool is_program = false;
  bool is_readable = true;  ///< Otherwise nothing is known.
  ElfTraits traits = {};
};

/// Why its memory has to be anonymous, in words; empty if nothing tells so.
std::string why_zeros_matter(const std::vector<LoadedObject>& objects);

}  // namespace sock::checkpoint
