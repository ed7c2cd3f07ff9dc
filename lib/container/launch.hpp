#pragma once

// Starting the first process of a container: the parts are made, put into a child::Plan, and walked
// by the child.

#include <optional>
#include <string>
#include <vector>

#include "sock/container.hpp"
#include "sock/fd.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

#include "container/checkpointable.hpp"
#include "container/workshop.hpp"
#include "isolation/cgroup/pool.hpp"

namespace sock::container {

/// Whose child the first process is: that decides who reaps it.
enum class Parent : std::uint8_t { host, domain };

struct Launched {
  UniqueFd pidfd;
  pid_t pid;
  Parent parent = Parent::host;
  Origin origin = Origin::created;
  isolation::Cgroup cgroup;
  UniqueFd root;  ///< The stitched tree: exec enters it again.
  bool own_mount_namespace;
  UniqueFd terminal;     ///< The master, if a terminal was asked for.
  UniqueFd init_report;  ///< Reading end; empty without an init.
  std::vector<StageTiming> timings;
  std::vector<Lent> lent = {};  ///< Of a checkpointable container.
  /// Of a restored container: what its memory is mapped from.
  struct PageFile {
    std::uint64_t device;
    std::uint64_t inode;
    friend auto operator<=>(const PageFile&, const PageFile&) = default;
  };
  std::vector<PageFile> page_files = {};
  isolation::SharedNamespace user_namespace = {};  ///< If it has one of its own.
};

/// Blocking until the payload has been executed. On failure nothing is left.
Result<Launched> launch(Workshop& workshop, const ContainerSpec& spec);

}  // namespace sock::container
