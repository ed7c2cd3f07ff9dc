#pragma once

// What makes a container one that can be written into a snapshot: nothing of the machine's in it
// but a few descriptors, whose parts are known.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "container/workshop.hpp"

namespace sock::container {

/// A file of the machine's that a payload, or its init, was given a descriptor of.
struct Lent {
  std::string role;  ///< "stdin", "stdout", "stderr", "fd:NAME", or one of the two below.
  std::uint64_t device;
  std::uint64_t inode;
};
inline constexpr std::string_view life_line_role = "init:life_line";
inline constexpr std::string_view init_report_role = "init:report";

Result<std::vector<Lent>> identify_lent(const ContainerSpec& spec, const Workshop& workshop,
                                        FdRef init_report);

/// The descriptor that a spec has for a part of a payload's own ("stdout", "fd:NAME"); empty where
/// it has none.
[[nodiscard]] FdRef descriptor_for(const ContainerSpec& spec, std::string_view role) noexcept;

/// On failure: Errc::invalid_spec or Errc::unsupported, naming what cannot be.
Result<> refuse_what_no_snapshot_holds(const ContainerSpec& spec, const Workshop& workshop);

/// Capabilities with which a process could open, and change, the file of the snapshot that its
/// container's memory is mapped from, or mount what we would not know of.
Result<> refuse_capabilities_over_snapshots(const Identity& identity);

/// A snapshot names each program by its path, so sock-init needs one inside.
std::vector<isolation::OwnFile> own_files(const ContainerSpec& spec, const Workshop& workshop);
inline constexpr const char* init_place = "/.sock-init";

/// Containers that share the empty network namespace are kept apart by Landlock. Not those that
/// CRIU will write into snapshots: it talks to its own code in them through an abstract socket.
[[nodiscard]] inline bool uses_landlock(const ContainerSpec& spec,
                                        const Workshop& workshop) noexcept {
  return spec.namespaces.network.kind() == Network::Kind::isolated && workshop.landlock &&
         !spec.checkpointable;
}

}  // namespace sock::container
