#pragma once

// HTTP to sockd over the control socket of its state directory.

#include <map>
#include <string>

#include "try.hpp"

namespace sockctl {

struct DaemonRequest {
  std::string method;
  std::string path;
  std::string body = {};
  std::map<std::string, std::string> headers = {};
};
struct DaemonReply {
  unsigned status;
  std::string body;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
};

/// The state directory of sockd: as given, SOCKD_STATE, or /var/lib/sock/sockd.
std::string daemon_directory(const std::string& given);
/// `directory` as given. On failure: Errc::not_found
/// when nobody listens. Blocking: until it answers.
Result<DaemonReply> ask_daemon(const std::string& directory, const DaemonRequest& request);
/// An answer that says why not, as an error.
Error error_of(const DaemonReply& reply);

}  // namespace sockctl
