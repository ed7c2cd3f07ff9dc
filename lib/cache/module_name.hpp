#pragma once

// Which module a file or a directory among a package's modules is. Pure.

#include <string>
#include <string_view>

namespace sock::cache {

/// "six" of "six.py", "numpy" of "numpy", "lxml" of "lxml.cpython-311-x86_64-linux-gnu.so"; empty
/// of what is no module, such as "numpy-1.24.2.dist-info".
std::string module_of(std::string_view name);

}  // namespace sock::cache
