#pragma once

// The values of options, from text. Pure functions: no files, no environment, no clock. Each error
// has Stage::validate, the option with its text as subject, and a hint with an example.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sock/host.hpp"
#include "sock/import_tree.hpp"
#include "sock/prefetch.hpp"
#include "sock/spec.hpp"
#include "sock/zygote.hpp"

#include "try.hpp"

namespace sockctl {

/// "64m", "1g", "4096": bytes, with a binary suffix.
Result<std::uint64_t> parse_size(std::string_view option, std::string_view text);
/// "1.5s", "200ms", "2m", "1h"; without a unit, seconds. At least 1 ms.
Result<std::chrono::milliseconds> parse_duration(std::string_view option, std::string_view text);
/// "1.5" processors, as CPU time in each period of 100 ms.
Result<std::chrono::microseconds> parse_cpus(std::string_view text);
/// A whole number of processes, or "max" for no limit.
Result<std::optional<std::uint32_t>> parse_pids(std::string_view text);
/// "SRC:DST[:ro|rw]"; a relative source starts at `directory`.
Result<sock::Bind> parse_bind(std::string_view text, const std::string& directory);
/// "DST[:size=64m,mode=1777,inodes=1000]"
Result<sock::Tmpfs> parse_tmpfs(std::string_view text);
/// "nofile=1024"
Result<sock::Rlimit> parse_rlimit(std::string_view text);

struct User {
  uid_t uid;
  gid_t gid;
  friend bool operator==(const User&, const User&) = default;
};
/// "UID[:GID]", numbers only: names would be looked up in files that a tenant may have written.
/// Without a group, its number is the user's.
Result<User> parse_user(std::string_view text);
/// "INSIDE:OUTSIDE:COUNT"
Result<sock::IdRange> parse_id_range(std::string_view text);

struct NetworkChoice {
  sock::Network::Kind kind;
  int fd = -1;            ///< join: an inherited descriptor, or -1.
  std::string path = {};  ///< join: a file such as /run/netns/NAME.
  friend bool operator==(const NetworkChoice&, const NetworkChoice&) = default;
};
Result<NetworkChoice> parse_network(std::string_view text);

enum class Filter : std::uint8_t { handler, strict, unconfined };
Result<Filter> parse_filter(std::string_view text);

/// "auto", "io_uring" or "threads"; empty for "off".
Result<std::optional<sock::LoadEngine>> parse_prefetch(std::string_view text);

/// "TERM", "SIGTERM" or "15".
Result<int> parse_signal(std::string_view text);
/// "TERM" for 15; the number where there is no name.
std::string signal_name(int number);
Result<sock::CgroupBackend> parse_backend(std::string_view text);
/// "python" or "native"
Result<sock::Runtime> parse_runtime(std::string_view text);
/// "cap_net_raw", "NET_RAW": the kernel's name in lower case.
Result<std::string> parse_capability(std::string_view text);
/// Each "NAME==VERSION", or "NAME".
Result<std::vector<sock::Package>> parse_requirements(const std::vector<std::string>& texts);
/// "numpy,pandas==1.5.3", each in its normal form.
Result<std::vector<std::string>> parse_package_list(std::string_view text);
/// What a container may be called: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 64.
Result<> check_name(std::string_view name);

}  // namespace sockctl
