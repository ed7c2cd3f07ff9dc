#pragma once

// CRIU's words for what it leaves to us. Pure.

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace sock::checkpoint {

/// A mount: when dumping `value` is the key by which it is known in the images, and `name` the
/// place where it is; when restoring, `name` is that key and `value` the path of what to mount.
inline std::string external_mount(const std::string& name, const std::string& value) {
  return "mnt[" + name + "]:" + value;
}

/// CRIU compares keys with paths of files, too; those have no leading slash.
inline constexpr const char* network_key = "/network";
inline std::string external_network(std::uint64_t inode) {
  return "net[" + std::to_string(inode) + "]:" + network_key;
}

/// A file by which memory is mapped, or that is open; it has this name in the images, too.
inline std::string external_file(std::uint64_t mount, std::uint64_t inode) {
  const auto hex = [](std::uint64_t number) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
    return std::string(digits.data(), end.ptr);
  };
  return "file[" + hex(mount) + ":" + hex(inode) + "]";
}

/// Our own files of pages in a snapshot (page_file.hpp), which CRIU is given by their keys.
inline constexpr std::string_view page_file_start = "memory-";
inline bool is_page_file(std::string_view name) {
  return name.starts_with(page_file_start);
}
inline std::string key_of_page_file(const std::string& name) {
  return "/" + name;
}
inline bool is_page_file_key(std::string_view key) {
  return key.starts_with('/') && is_page_file(key.substr(1));
}

}  // namespace sock::checkpoint
