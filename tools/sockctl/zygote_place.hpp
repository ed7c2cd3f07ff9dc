#pragma once

// Where zygotes are held between commands:
//
//   STATE/zygotes/         0700
//     start                held (flock) by whoever starts a holder, until it listens
//     lock                 held by the holder for as long as it lives
//     control              its socket
//
// The holder is the background Host, or sockd.

#include <optional>
#include <string>

#include "posix.hpp"

namespace sockctl {

/// STATE/zygotes, made where it is missing. Refused when STATE is in a directory in which others
/// may put things.
Result<sock::UniqueFd> open_zygote_dir(const std::string& state);
/// `start` or `lock`. The file stays: removing it would let two processes hold two locks of that
/// name.
Result<sock::UniqueFd> open_zygote_lock(sock::FdRef dir, const char* name);
/// For one who starts by himself: the lock of the holder, empty when another has it.
/// Blocking: while somebody starts one.
Result<std::optional<sock::UniqueFd>> claim_zygotes(sock::FdRef dir);

}  // namespace sockctl
