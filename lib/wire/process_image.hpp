#pragma once

// A process image: what a parked zygote has in memory, as a file that says what is where (`plan`)
// and one with the contents (`pages`). lib/checkpoint writes it; zygote/restorer maps it into a new
// process, and the process goes on in its own code (zygote/server/park.hpp).
//
//   Header  Special[special_count]  File[file_count]  Mapping[mapping_count]  paths
//
// No pointers, no padding: whoever reads it needs bounds alone. Mappings of one file are next to
// each other.

#include <cstdint>
#include <type_traits>

namespace sock::wire::image {

inline constexpr std::uint32_t magic = 0x494b4353;  // "SCKI"
inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t most_mappings = 65'536;
inline constexpr std::uint32_t most_files = 4096;
inline constexpr std::uint32_t most_specials = 4;
inline constexpr std::uint32_t most_path_bytes = 1U << 20U;

/// Where the restorer is while it works: below any address that the kernel gives out by itself, and
/// no parked process may have anything there.
inline constexpr std::uint64_t restorer_begin = 0x2000'0000'0000;
inline constexpr std::uint64_t restorer_size = 32U << 20U;

/// How a parked process goes on: entry(channel, restorer_begin, restorer_size) on the stack that
/// ends at `stack`, with `thread_pointer` in the register for it. The zygote's own word: it is
/// believed inside its own process only.
struct Resumption {
  std::uint64_t entry;
  std::uint64_t stack;
  std::uint64_t thread_pointer;
};
static_assert(sizeof(Resumption) == 24 && std::is_trivially_copyable_v<Resumption>);

struct Header {
  std::uint32_t magic;
  std::uint32_t version;
  Resumption resumption;
  std::uint32_t special_count;
  std::uint32_t file_count;
  std::uint32_t mapping_count;
  std::uint32_t path_bytes;
};
static_assert(sizeof(Header) == 48);

/// A mapping of the kernel's own (vvar, vvar_vclock, vdso): in this order, one after the other, and
/// the vdso last. They are moved, not copied.
struct Special {
  std::uint64_t begin;
  std::uint64_t size;
};
static_assert(sizeof(Special) == 16);

/// A file that is mapped as it is. One that is not the same any more is refused.
struct File {
  std::uint64_t size;
  std::int64_t mtime_s;
  std::uint32_t mtime_ns;
  std::uint32_t path;  ///< Offset among the paths, each ended by a NUL.
};
static_assert(sizeof(File) == 24);

/// Instead of the number of a File:
inline constexpr std::uint32_t no_file = 0xffff'ffff;  ///< Anonymous memory, zero.
inline constexpr std::uint32_t pages = 0xffff'fffe;    ///< Of `pages`.

inline constexpr std::uint32_t is_shared = 1;      ///< And read-only.
inline constexpr std::uint32_t grows_down = 2;     ///< A stack.
inline constexpr std::uint32_t no_reserve = 4;     ///< MAP_NORESERVE
inline constexpr std::uint32_t is_copied = 8;      ///< Of `pages`: anonymous memory, read into.
inline constexpr std::uint32_t wipe_on_fork = 16;  ///< MADV_WIPEONFORK

struct Mapping {
  std::uint64_t begin;
  std::uint64_t size;
  std::uint64_t offset;  ///< In its file.
  std::uint32_t file;
  std::uint16_t protection;  ///< PROT_*
  std::uint16_t flags;
};
static_assert(sizeof(Mapping) == 32);

/// Whether a plan of `size` bytes has what its header says and nothing else, within the bounds
/// above. What its records say may be anything still.
constexpr bool is_whole(const Header& header, std::uint64_t size) noexcept {
  return header.magic == magic && header.version == version && header.special_count >= 1 &&
         header.special_count <= most_specials && header.file_count <= most_files &&
         header.mapping_count <= most_mappings && header.path_bytes >= 1 &&
         header.path_bytes <= most_path_bytes &&
         size == sizeof(Header) + header.special_count * sizeof(Special) +
                     header.file_count * sizeof(File) + header.mapping_count * sizeof(Mapping) +
                     header.path_bytes;
}

}  // namespace sock::wire::image
