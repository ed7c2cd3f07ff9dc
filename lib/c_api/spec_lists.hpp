#pragma once

// The lists in the structures of sock.h as vectors, and the checks that lists and flags share.

#include <cstddef>
#include <string>
#include <vector>

#include "sock/sock.h"
#include "sock/spec.hpp"

namespace sock::c_api {

/// Ends with a NULL; NULL is empty.
[[nodiscard]] std::vector<std::string> to_list(const char* const* strings);
Result<> check_array(const void* array, std::size_t count, const char* name);
Result<> check_flags(std::uint64_t flags, std::uint64_t known, const char* name);

Result<std::vector<Bind>> to_binds(const sock_bind* binds, std::size_t count);
Result<std::vector<NamedFd>> to_fds(const sock_named_fd* fds, std::size_t count);
[[nodiscard]] std::vector<IdRange> to_ranges(const sock_id_range* ranges, std::size_t count);
/// NULL: the default ones.
Result<std::vector<Tmpfs>> to_tmpfs(const sock_tmpfs* mounts, std::size_t count);
Result<std::vector<Rlimit>> to_rlimits(const sock_rlimit* limits, std::size_t count);

}  // namespace sock::c_api
