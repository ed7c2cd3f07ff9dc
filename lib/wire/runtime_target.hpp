#pragma once

// Where a runtime (zygote/python, zygote/native) is in a root that needs it.

#include <string_view>

namespace sock::wire {

inline constexpr const char* runtime_target = "/sock";

/// Whether a path in such a root is the runtime's own.
constexpr bool is_of_runtime(std::string_view path) noexcept {
  const std::string_view target = runtime_target;
  return path.starts_with(target) && path.substr(target.size()).starts_with('/');
}

}  // namespace sock::wire
