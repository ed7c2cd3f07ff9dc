#pragma once

// What is known of a container before CRIU has looked at it: by that it is told what to leave to
// us, and what cannot be in a snapshot is refused by name.

#include <string>
#include <vector>

#include <sys/types.h>

#include "sock/result.hpp"

#include "checkpoint/manifest.hpp"
#include "checkpoint/page_file.hpp"
#include "container/container_impl.hpp"

namespace sock::checkpoint {

struct Survey {
  std::vector<pid_t> processes;
  std::vector<std::string> mounts;  ///< As Manifest::mounts.
  std::vector<ScratchPlace>
      scratch;  ///< The tmpfs mounts among them, whose content is to be saved.
  std::vector<LentKey> lent;
  std::vector<std::string> external;     ///< In CRIU's words.
  std::vector<EarlierPages> page_files;  ///< What its memory is mapped from.
};

/// The container is held still. On failure: Errc::unsupported with the process and descriptor.
Result<Survey> survey(const Container::Impl& container);

}  // namespace sock::checkpoint
