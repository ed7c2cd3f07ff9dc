#pragma once

// What the kernel holds of a process that is a single thread: signal actions, its thread, its
// memory map, its name. Noted in the process's own memory, and given back in one that has that
// memory.

#include <cstdint>

namespace sock::zygote {

/// False: the kernel does not tell all that is needed, and errno why. From now on until the process
/// stands still, nothing may be allocated: the heap's end has been noted.
bool note_kernel_state() noexcept;

/// In a restored process: unmaps the restorer, and gives back all but the directory. nullptr, or
/// what failed, with errno.
const char* restore_kernel_state(std::uint64_t restorer, std::uint64_t restorer_size) noexcept;

/// Goes to the directory in which note_kernel_state() was called, if it is there.
void return_to_directory() noexcept;

}  // namespace sock::zygote
