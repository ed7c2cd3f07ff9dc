#pragma once

// Containers whose first process is made of a process image, by the restorer (zygote/restorer).

#include <chrono>

#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "container/launch.hpp"
#include "container/workshop.hpp"
#include "zygote/peer.hpp"

namespace sock::zygote {

/// A process image, and the program that becomes the process. Borrowed.
struct Image {
  FdRef plan;
  FdRef pages;
  FdRef restorer;
};

/// Makes the restorer the payload of `container`; its descriptors come after those that it has.
void restore_instead(const Image& image, FdRef channel, ContainerSpec& container);

/// The first message to a restored process, sent before there is one: what it is to be.
Result<> tell_to_serve(const Peer& channel);
Result<> tell_to_run(const Peer& channel, const ContainerSpec& spec);

/// A container as created, but for its process: that is the zygote's, with the payload of `spec`.
/// On failure nothing is left; Stage::restore where it is not the container's making that failed.
Result<container::Launched> launch_restored(container::Workshop& workshop, const Image& image,
                                            const ContainerSpec& spec,
                                            std::chrono::milliseconds deadline);

}  // namespace sock::zygote
