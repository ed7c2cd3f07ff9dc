#pragma once

// Copying a parked process into the two files of a process image.

#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "sys/process.hpp"
#include "wire/message.hpp"
#include "wire/process_image.hpp"

namespace sock::checkpoint {

inline constexpr const char* plan_name = "plan";
inline constexpr const char* pages_name = "pages";

/// A process that stands still, and what it says of itself. It may lie: then whatever is made of
/// the image is not what it seems, inside a domain like its own.
struct ParkedProcess {
  FdRef pidfd;
  wire::image::Resumption resumption;
  std::string_view files;  ///< wire::Field::files
};

/// Writes `plan` and `pages` into a directory. On failure: Errc::unsupported names what no image
/// can hold, Errc::timed_out. Blocking: as long as copying takes.
Result<> write_process_image(const ParkedProcess& process, FdRef directory, sys::Deadline deadline);

}  // namespace sock::checkpoint
