#pragma once

// CRIU's words for what it leaves to us. Pure.

#include <cstdint>
#include <string>

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

}  // namespace sock::checkpoint
