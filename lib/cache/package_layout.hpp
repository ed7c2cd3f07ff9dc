#pragma once

// What is where in a package's directory.

#include <string_view>

namespace sock::cache {

/// What is put on the interpreter's search path.
inline constexpr std::string_view modules_directory = "site-packages";
inline constexpr std::string_view programs_directory = "bin";
inline constexpr std::string_view headers_directory = "include";
/// What is put on the dynamic linker's.
inline constexpr std::string_view libraries_directory = "lib";

}  // namespace sock::cache
