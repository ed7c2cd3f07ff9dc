#pragma once

// Structures that start with their own size: reading those of older and newer callers, and filling
// theirs. The bytes after what both sides know are zero on the way in, and left as they are, or
// marked as unknown, on the way out.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "base/try.hpp"
#include "c_api/handles.hpp"

namespace sock::c_api {

/// Copies a caller's structure into this library's idea of it; missing fields become zero.
template <class T>
Result<T> read_sized(const T* given, const char* name) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, size) == 0);
  SOCK_TRY(require(given, name));
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  if (size < sizeof size) return refuse_argument(name, "its size is not set; use its *_INIT macro");
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t at = sizeof(T); at < size; ++at)
    if (bytes[at] != 0)
      return refuse_argument(name, "a field is set that this library is too old to know", E2BIG);
  T known{};
  std::memcpy(&known, bytes, std::min(size, sizeof(T)));
  known.size = sizeof(T);
  return known;
}

/// Checks an output before anything is done whose result it could not take.
template <class T>
Result<> check_output(const T* output, const char* name) {
  SOCK_TRY(require(output, name));
  if (output->size < sizeof output->size)
    return refuse_argument(name, "its size is not set; use its *_INIT macro");
  return {};
}

/// Fills as much of a caller's structure as both sides know, and the rest with `unknown`.
template <class T>
void write_sized(T value, T* output, unsigned char unknown = 0) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, size) == 0);
  const std::size_t size = output->size;
  value.size = size;
  std::memcpy(static_cast<void*>(output), &value, std::min(size, sizeof(T)));
  if (size > sizeof(T))
    std::memset(reinterpret_cast<unsigned char*>(output) + sizeof(T), unknown, size - sizeof(T));
}

}  // namespace sock::c_api
