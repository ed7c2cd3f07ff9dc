// Every number in the file may be anything: each is bounded before it is used.

#include "checkpoint/elf_traits.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <elf.h>

#include "base/try.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::size_t most_segments = 128;
constexpr std::size_t most_dynamic = 64U << 10U;
constexpr std::size_t most_names = 16U << 20U;
constexpr std::size_t most_notes = 64U << 10U;

std::unexpected<Error> corrupt(std::string why) {
  return base::refuse(Errc::corrupt, Stage::none, "ELF file", std::move(why));
}

/// As many as there are, whole.
template <class T>
std::vector<T> items_of(std::string_view bytes) {
  std::vector<T> items(bytes.size() / sizeof(T));
  if (!items.empty()) std::memcpy(items.data(), bytes.data(), items.size() * sizeof(T));
  return items;
}

Result<std::vector<Elf64_Phdr>> read_segments(const ReadAt& read) {
  const auto headers = items_of<Elf64_Ehdr>(SOCK_TRY(read(0, sizeof(Elf64_Ehdr))));
  if (headers.empty()) return corrupt("it is too short");
  const Elf64_Ehdr& header = headers.front();
  constexpr auto order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != order)
    return corrupt("it is none of this machine's");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > most_segments)
    return corrupt("its segments are not as they should be");
  const std::string bytes = SOCK_TRY(read(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)));
  return items_of<Elf64_Phdr>(bytes);
}

std::optional<std::uint64_t> offset_of(std::uint64_t address,
                                       const std::vector<Elf64_Phdr>& segments) {
  for (const auto& segment : segments)
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  return std::nullopt;
}

/// One after the other, each with its NUL. That one may be the end of a longer one does not matter.
Result<std::string> read_names(const Elf64_Phdr& dynamic, const std::vector<Elf64_Phdr>& segments,
                               const ReadAt& read) {
  const auto size = std::min<std::uint64_t>(dynamic.p_filesz, most_dynamic);
  std::uint64_t address = 0;
  std::uint64_t length = 0;
  for (const auto& entry : items_of<Elf64_Dyn>(SOCK_TRY(read(dynamic.p_offset, size)))) {
    if (entry.d_tag == DT_STRTAB) address = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ) length = entry.d_un.d_val;
  }
  const auto offset = offset_of(address, segments);
  if (!offset || length > most_names) return corrupt("its symbols' names are not where it says");
  std::string text = SOCK_TRY(read(*offset, length));
  if (text.size() < length) return corrupt("it is cut off");
  return text;
}

/// The first note is enough: the linker of Go puts its own there, in a segment of its own.
Result<bool> has_go_note(const Elf64_Phdr& segment, const ReadAt& read) {
  const auto size = std::min<std::uint64_t>(segment.p_filesz, most_notes);
  const std::string bytes = SOCK_TRY(read(segment.p_offset, size));
  const auto notes = items_of<Elf64_Nhdr>(
      std::string_view{bytes}.substr(0, std::min(bytes.size(), sizeof(Elf64_Nhdr))));
  constexpr std::string_view owner{"Go\0\0", 4};
  return !notes.empty() && notes.front().n_namesz == owner.size() &&
         std::string_view{bytes}.substr(sizeof(Elf64_Nhdr)).starts_with(owner);
}

}  // namespace

Result<ElfTraits> read_elf_traits(const ReadAt& read) {
  const auto segments = SOCK_TRY(read_segments(read));
  ElfTraits traits;
  bool has_dynamic = false;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_INTERP) traits.has_interpreter = true;
    if (segment.p_type == PT_DYNAMIC && !std::exchange(has_dynamic, true)) {
      const std::string text = SOCK_TRY(read_names(segment, segments, read));
      traits.names_madvise = text.contains(std::string{"madvise"} + '\0');
      traits.names_mremap = text.contains(std::string{"mremap"} + '\0');
    }
    if (segment.p_type == PT_NOTE) {
      const bool is_go = SOCK_TRY(has_go_note(segment, read));
      traits.is_go = traits.is_go || is_go;
    }
  }
  return traits;
}

}  // namespace sock::checkpoint
