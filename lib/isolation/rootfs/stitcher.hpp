#pragma once

// Makes roots for containers, and keeps the read-only part of each as a template: a container then
// costs one clone of it and its own mounts (SOCK, section 4.1, with mounts instead of AUFS).

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "isolation/rootfs/devices.hpp"
#include "isolation/rootfs/tree.hpp"

namespace sock::isolation {

/// An empty one, detached. `tmpfs` has passed check_rootfs().
Result<UniqueFd> make_tmpfs(const Tmpfs& tmpfs);

/// A file of the library's own that a root is to have: a detached mount of it, which is cloned.
struct OwnFile {
  FdRef mount;
  std::string target;
};

struct StitchedRoot {
  Tree tree;
  std::optional<TerminalPair> terminal;
};

/// Thread-safe.
class Stitcher {
 public:
  explicit Stitcher(Composition composition) noexcept : composition_{composition} {}

  /// `rootfs` has passed check_rootfs(). `user_namespace` (empty for none) is the container's, and
  /// outlives *this. On failure: Stage::rootfs, naming the part.
  Result<StitchedRoot> make(const Rootfs& rootfs, const std::optional<Terminal>& terminal,
                            FdRef user_namespace, std::span<const OwnFile> own_files);

 private:
  /// A directory's identity: a path may name another one tomorrow.
  struct Source {
    std::string path;
    std::uint64_t device;
    std::uint64_t inode;
    friend bool operator==(const Source&, const Source&) = default;
  };
  struct Template {
    std::vector<Source> sources;  ///< The base, then the packages.
    std::vector<MountPoint> points;
    /// The inode of the user namespace into which they are shifted, or 0. Not the descriptor, which
    /// may be another one's tomorrow.
    std::uint64_t owners;
    UniqueFd kept_owners;  ///< While it is open, no other namespace gets that inode.
    std::shared_ptr<const UniqueFd> root;
  };

  static Result<std::vector<Source>> find_sources(const Rootfs& rootfs);
  static Result<Tree> make_lower(const Rootfs& rootfs, FdRef owners,
                                 std::span<const MountPoint> points, Composition composition);
  Result<Tree> clone_template(const Rootfs& rootfs, FdRef owners, std::vector<MountPoint> points);

  const Composition composition_;
  std::mutex mutex_;               // guards templates_
  std::list<Template> templates_;  // most recently used first
};

}  // namespace sock::isolation
