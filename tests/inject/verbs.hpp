#pragma once

// The verbs of the library, each as a small program that does it once.

#include <functional>
#include <string>
#include <string_view>

#include "sock/sock.hpp"

namespace sock::test {

Result<Host> open(const std::string& state_dir);

/// Its result is the program's exit code.
using HostVerb = std::function<int(Host&)>;

/// Empty when there is none of the name.
HostVerb find_verb(std::string_view name, const std::string& state_dir);

/// Container::create() and wait() with the simplest spec.
int create(Host& host);

}  // namespace sock::test
