#pragma once

// What CRIU's images say of processes and of what they have open: read to be told, never changed.
// Pure. On failure: Errc::corrupt; `what` is in errors.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sock/result.hpp"

namespace sock::checkpoint {

struct CriuProcess {
  pid_t pid;
  pid_t parent;  ///< 0: none in the container.
  std::size_t threads;
  friend bool operator==(const CriuProcess&, const CriuProcess&) = default;
};
/// pstree.img
Result<std::vector<CriuProcess>> parse_processes(std::string_view bytes, const std::string& what);

/// core-PID.img: the name of the process, as in /proc/PID/comm; empty of one that has ended.
Result<std::string> parse_process_name(std::string_view bytes, const std::string& what);

/// ids-PID.img: the number of its table of descriptors.
Result<std::uint32_t> parse_descriptor_table(std::string_view bytes, const std::string& what);

struct CriuDescriptor {
  int number;
  std::uint32_t file;  ///< Its number in the table of files.
  friend bool operator==(const CriuDescriptor&, const CriuDescriptor&) = default;
};
/// fdinfo-TABLE.img
Result<std::vector<CriuDescriptor>> parse_descriptors(std::string_view bytes,
                                                      const std::string& what);

struct CriuOpenFile {
  std::string kind;  ///< "file", "pipe", "unix socket", "epoll", ...
  std::string name = {};
  bool is_external = false;  ///< CRIU is given it.
  friend bool operator==(const CriuOpenFile&, const CriuOpenFile&) = default;
};
/// files.img, by number.
Result<std::map<std::uint64_t, CriuOpenFile>> parse_open_files(std::string_view bytes,
                                                               const std::string& what);

}  // namespace sock::checkpoint
