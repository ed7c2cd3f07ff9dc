#pragma once

// CRIU's requests and responses, in the bytes that go over its socket. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::checkpoint {

struct DumpRequest {
  pid_t pid;     ///< The first process; all its descendants are dumped.
  FdRef images;  ///< A directory of the caller's, which CRIU opens through /proc.
  FdRef work;    ///< Where its log goes.
  bool kills;    ///< Otherwise everything runs on.
  std::vector<std::string>
      external;  ///< "mnt[/usr]:/usr", "net[INODE]:KEY", "file[MNT:INODE]", ...
};
std::string pack(const DumpRequest& request);

struct RestoreRequest {
  FdRef images;
  FdRef work;
  std::string root;                   ///< A path that becomes "/" of the new mount namespace.
  std::vector<std::string> external;  ///< "mnt[KEY]:PATH"
  struct Inherited {
    std::string key;  ///< "pipe:[INODE]", or the key of something external.
    int fd;           ///< In the CRIU process.
  };
  std::vector<Inherited> inherited;
};
std::string pack(const RestoreRequest& request);

std::string pack_version_request();
/// Whether CRIU can work on this kernel at all. It wants a directory, and leaves nothing there.
std::string pack_check_request(FdRef directory);

inline constexpr const char* log_name = "log";

/// To a notice: everything is as the request was made, or the dump is to be undone.
std::string pack_notice_answer(bool go_on);
/// Everything has been written, and all processes are still stopped.
inline constexpr const char* dumped_notice = "post-dump";

struct Response {
  bool success;
  int sys_errno = 0;
  std::string message = {};
  pid_t pid = -1;            ///< Of a restore: the first process.
  std::string version = {};  ///< "4.2.1"
  std::string notice = {};   ///< If it is one: CRIU waits for an answer.
};
/// On failure: Errc::corrupt.
Result<Response> parse_response(std::string_view bytes);

}  // namespace sock::checkpoint
