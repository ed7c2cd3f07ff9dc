// Whoever calls madvise() is suspected, but for those whose calls are known.

#include "checkpoint/zero_reliance.hpp"

#include <algorithm>
#include <array>

namespace sock::checkpoint {
namespace {

// By the beginnings of their names. The C library clears what it has given up itself (calloc()
// trusts memory only while it has never been in use); numpy asks for huge pages; OpenSSL keeps
// secrets out of core dumps; Python's `mmap` does what the program says, with mappings that the
// program has made.
constexpr std::array<std::string_view, 5> known{"libc.so.6", "ld-linux-", "_multiarray_umath.",
                                                "libcrypto.so.", "mmap.cpython-"};
constexpr std::string_view c_library = "libc.so.6";

std::string_view name_of(const LoadedObject& object) {
  return std::string_view{object.path}.substr(object.path.rfind('/') + 1);
}

bool is_known(const LoadedObject& object) {
  return std::ranges::any_of(
      known, [&](std::string_view start) { return name_of(object).starts_with(start); });
}

std::string why_it_matters_to(const LoadedObject& object) {
  if (!object.is_readable) return "nothing is known of " + object.path;
  if (object.traits.is_go) return object.path + " is written in Go, whose runtime relies on zeros";
  if (object.is_program && !object.traits.has_interpreter)
    return object.path + " is linked statically, and its allocator is not known";
  if (object.traits.names_madvise && !is_known(object))
    return object.path + " uses madvise(), and may rely on zeros afterwards";
  if (object.traits.names_mremap && !is_known(object))
    return object.path + " uses mremap(), and may rely on zeros in what it gains";
  return {};
}

}  // namespace

std::string why_zeros_matter(const std::vector<LoadedObject>& objects) {
  for (const auto& object : objects)
    if (auto why = why_it_matters_to(object); !why.empty()) return why;
  const bool has_c_library = std::ranges::any_of(
      objects, [](const LoadedObject& object) { return name_of(object) == c_library; });
  if (!has_c_library) return "it has not the C library whose allocator is known (glibc)";
  return {};
}

}  // namespace sock::checkpoint
