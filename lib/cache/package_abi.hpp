#pragma once

// What a package is built for, as one word: "none-any", "abi3-x86_64-linux-gnu",
// "cp311-x86_64-linux-gnu". Pure but for the name of the machine.

#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

#include "store/tree_record.hpp"

namespace sock::cache {

/// As the kernel calls it: "x86_64".
[[nodiscard]] std::string machine_name();

inline constexpr std::string_view pure_abi = "none-any";

/// The three last parts of a wheel's file name, each of which may name several, separated by dots.
struct WheelTags {
  std::string python;    ///< "py3", "cp311"
  std::string abi;       ///< "none", "abi3", "cp311"
  std::string platform;  ///< "any", "manylinux_2_17_x86_64.manylinux2014_x86_64"
};
/// On failure: Errc::unsupported for what this machine's CPython 3 cannot have.
Result<std::string> abi_of_tags(const WheelTags& tags, const std::string& file);

/// From the names of the extension modules in a tree. On failure: Errc::invalid_spec when they are
/// for several versions of Python.
Result<std::string> abi_of_files(const store::TreeRecord& record);

/// On failure: Errc::invalid_spec for what is no version of an interpreter, as "3.11" is.
Result<> check_python(std::string_view python);
/// Whether an interpreter of that version ("3.11") can import it.
[[nodiscard]] bool suits(std::string_view abi, std::string_view python);

}  // namespace sock::cache
