#pragma once

// What a snapshot says of itself: a JSON document in its directory; docs/snapshots.md has the
// format. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sock/checkpoint.hpp"
#include "sock/result.hpp"
#include "sock/zygote.hpp"

#include "checkpoint/machine.hpp"
#include "checkpoint/scratch.hpp"
#include "store/digest.hpp"

namespace sock::checkpoint {

/// A descriptor that the container had from outside, by its part there and CRIU's name for it.
struct LentKey {
  std::string role;  ///< "stdout", "fd:NAME", "init:life_line", ...
  std::string key;   ///< "pipe:[INODE]", "file[MNT:INODE]", ...
};

struct SnapshotFile {
  std::string name;
  std::uint64_t bytes;
  store::Digest digest;
};

/// Of a snapshot of a zygote, which has neither mounts nor scratch nor anything lent.
struct ZygoteState {
  Runtime runtime;
  std::chrono::milliseconds deadline;
  store::Digest vdso;  ///< The kernel's code in every process: the same, or none is restored.
};

/// How the memory of a container comes back.
struct MemoryForms {
  std::uint64_t mapped_bytes = 0;        ///< From files of pages: holes included.
  std::vector<std::string> copied = {};  ///< Of each process whose memory is copied: why.
};

struct Manifest {
  ContainerSpec spec;
  std::vector<std::string> origins = {};
  std::chrono::system_clock::time_point created = {};
  std::size_t processes = 0;
  std::string criu = {};
  Machine machine = {};
  std::vector<std::string> mounts = {};  ///< Made again by us, not by CRIU; parents first.
  std::vector<Scratch> scratch = {};
  std::vector<LentKey> lent = {};
  std::vector<SnapshotFile> files = {};    ///< Sorted by name.
  std::optional<ZygoteState> zygote = {};  ///< Empty: of a container, by CRIU.
  std::string annotation = {};
  MemoryForms memory = {};  ///< Of a container.

  [[nodiscard]] std::string to_text() const;
  /// On failure: Errc::corrupt; Errc::unsupported for a newer format.
  static Result<Manifest> parse(std::string_view text, const std::string& what);
  [[nodiscard]] std::uint64_t bytes() const;
};

/// What is public of it. `text` is the document that it was read from.
Snapshot describe(const Manifest& manifest, const std::string& name, std::string_view text);

}  // namespace sock::checkpoint
