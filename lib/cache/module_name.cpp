// By the endings that CPython knows.

#include "cache/module_name.hpp"

#include <algorithm>

namespace sock::cache {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::string module_of(std::string_view name) {
  std::string_view module = name;
  const auto dot = name.find('.');
  if (dot != std::string_view::npos) {
    const auto ending = name.substr(dot);
    const bool is_extension = ending == ".so" || ending == ".abi3.so" ||
                              (ending.starts_with(".cpython-") && ending.ends_with(".so"));
    if (ending != ".py" && !is_extension) return {};
    module = name.substr(0, dot);
  }
  const bool is_name = !module.empty() && std::ranges::all_of(module, is_word) &&
                       !(module.front() >= '0' && module.front() <= '9');
  return std::string{is_name ? module : ""};
}

}  // namespace sock::cache
