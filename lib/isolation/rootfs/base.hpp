#pragma once

// The read-only lower part of a root: the image, or the machine's own /usr, and the places where
// other parts will be mounted.

#include <span>
#include <string>

#include "sock/result.hpp"

#include "isolation/rootfs/tree.hpp"

namespace sock::isolation {

/// A tree of the image at `base` (or of host_image) in which every one of `points` exists. The
/// image itself is used as the root where it has them; else its top level is stitched into a tmpfs,
/// so that nothing has to be created in the image. `owners`: the user namespace into which the
/// owners of its files are shifted; empty for none.
Result<Tree> make_base(const std::string& base, FdRef owners, std::span<const MountPoint> points,
                       Composition composition);

}  // namespace sock::isolation
