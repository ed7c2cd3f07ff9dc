#pragma once

// Serving the socket of who holds zygotes (zygote_place.hpp).

#include <list>

#include "channel.hpp"

namespace sockctl {

class ZygoteHost;

struct ZygoteEars {
  sock::UniqueFd dir;
  sock::UniqueFd end;  ///< Readable when it is to end.
  sock::UniqueFd listener;
};
enum class Stay : std::uint8_t {
  while_used,  ///< Until nothing is held any more, and nobody asks.
  until_told,
};

/// For the holder of the lock.
Result<ZygoteEars> listen_for_zygotes(sock::UniqueFd dir, sock::UniqueFd end);
/// Blocking. `last` gets the connections that ended last: to be closed after all else, since a
/// client that waits for the end of its own knows then that nothing is left.
Result<> serve_zygotes(ZygoteHost& host, ZygoteEars ears, Stay stay,
                       std::list<sock::UniqueFd>& last);

}  // namespace sockctl
