#pragma once

// CRIU's images in their directory, by name.

#include <string>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "checkpoint/criu_images.hpp"

namespace sock::checkpoint {

inline constexpr std::size_t most_criu_image = 256U << 20U;
inline constexpr const char* files_image = "files.img";
/// "mm-7.img" of the process that has the number "7" in its images' names.
std::string memory_image(const std::string& process);

/// The numbers of all processes.
Result<std::vector<std::string>> processes_in(FdRef images);
Result<CriuMemory> read_memory(FdRef images, const std::string& process);
Result<CriuFiles> read_files(FdRef images);

}  // namespace sock::checkpoint
