// Which programs may rely on memory that is zero after madvise(), as far as their files tell.

#include "checkpoint/zero_reliance.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <elf.h>

#include <gtest/gtest.h>

namespace sock::checkpoint {
namespace {

LoadedObject program(std::string path = "/usr/bin/tool") {
  return {.path = std::move(path), .is_program = true, .traits = {.has_interpreter = true}};
}
LoadedObject library(std::string path, bool names_madvise = false) {
  return {.path = std::move(path), .traits = {.names_madvise = names_madvise}};
}
const LoadedObject c_library = library("/usr/lib/x86_64-linux-gnu/libc.so.6", true);

TEST(ZeroReliance, TrustsTheCLibraryAndWhatIsKnown) {
  EXPECT_EQ(why_zeros_matter({program(), c_library}), "");
  EXPECT_EQ(why_zeros_matter({program(), c_library, library("/lib/ld-linux-x86-64.so.2"),
                              library("/x/_multiarray_umath.cpython-311.so", true),
                              library("/x/libcrypto.so.3", true)}),
            "");
}

TEST(ZeroReliance, SuspectsWhoeverUsesMadvise) {
  EXPECT_EQ(why_zeros_matter({program(), c_library, library("/usr/lib/libjemalloc.so.2", true)}),
            "/usr/lib/libjemalloc.so.2 uses madvise(), and may rely on zeros afterwards");
  LoadedObject node = program("/usr/bin/node");
  node.traits.names_madvise = true;
  EXPECT_TRUE(why_zeros_matter({node, c_library}).contains("/usr/bin/node uses madvise()"));
}

TEST(ZeroReliance, SuspectsWhatItCannotSee) {
  LoadedObject linked = program();
  linked.traits.has_interpreter = false;
  EXPECT_TRUE(why_zeros_matter({linked}).contains("statically"));
  LoadedObject go = program();
  go.traits.is_go = true;
  EXPECT_TRUE(why_zeros_matter({go, c_library}).contains("Go"));
  LoadedObject hidden = library("/x/gone.so");
  hidden.is_readable = false;
  EXPECT_TRUE(why_zeros_matter({program(), c_library, hidden}).contains("nothing is known"));
  EXPECT_TRUE(why_zeros_matter({program(), library("/lib/ld-musl-x86_64.so.1")}).contains("glibc"));
}

Result<ElfTraits> traits_of(const std::string& bytes) {
  return read_elf_traits([&](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    if (offset > bytes.size()) return std::string{};
    return bytes.substr(offset, size);
  });
}

std::string file(const std::filesystem::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

TEST(ElfTraits, ReadsRealFiles) {
  const auto self = traits_of(file("/proc/self/exe"));
  ASSERT_TRUE(self.has_value()) << self.error().message();
  EXPECT_TRUE(self->has_interpreter);
  EXPECT_FALSE(self->is_go);
  std::ifstream maps{"/proc/self/maps"};
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    const auto path = line.find('/');
    if (path == std::string::npos || !line.ends_with("/libc.so.6")) continue;
    const auto traits = traits_of(file(line.substr(path)));
    ASSERT_TRUE(traits.has_value()) << traits.error().message();
    EXPECT_TRUE(traits->names_madvise);
    found = true;
    break;
  }
  EXPECT_TRUE(found);
}

template <class T>
void put(std::string& bytes, std::size_t at, const T& value) {
  if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// A file with one segment of content, which follows two headers.
std::string elf(std::uint32_t type, const std::string& content) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = type;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = content.size();
  std::string bytes;
  put(bytes, 0, header);
  put(bytes, sizeof header, segment);
  return bytes + content;
}

TEST(ElfTraits, KnowsGoByItsNote) {
  const Elf64_Nhdr note{.n_namesz = 4, .n_descsz = 0, .n_type = 4};
  std::string content;
  put(content, 0, note);
  content += std::string{"Go\0\0", 4};
  const auto traits = traits_of(elf(PT_NOTE, content));
  ASSERT_TRUE(traits.has_value()) << traits.error().message();
  EXPECT_TRUE(traits->is_go);
  EXPECT_FALSE(traits->has_interpreter);
}

TEST(ElfTraits, RefusesWhatIsNone) {
  EXPECT_FALSE(traits_of("").has_value());
  EXPECT_FALSE(traits_of(std::string(4096, 'x')).has_value());
  std::array<Elf64_Dyn, 2> names{};
  names[0].d_tag = DT_STRTAB;
  names[0].d_un.d_ptr = 1U << 30U;
  names[1].d_tag = DT_STRSZ;
  names[1].d_un.d_val = 1U << 30U;
  std::string content;
  put(content, 0, names);
  EXPECT_FALSE(traits_of(elf(PT_DYNAMIC, content)).has_value());
  const std::string start = file("/usr/bin/true").substr(0, 4096);
  for (std::size_t size = 0; size < start.size(); size += 13)
    static_cast<void>(traits_of(start.substr(0, size)));
}

}  // namespace
}  // namespace sock::checkpoint
