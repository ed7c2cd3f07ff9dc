#pragma once

// Closing a container's tree takes the kernel a grace period of RCU, a tenth of a container's whole
// life (docs/decisions/closer.md). So it is done by another process, the janitor's sibling.

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::container {

/// The sending end. Thread-safe.
class Closer {
 public:
  /// `socket`: one of sys::make_message_pair(), whose other end the closing process holds.
  explicit Closer(UniqueFd socket) noexcept;

  /// Never blocks on the other process: where it is gone or behind, the close happens here.
  void close(UniqueFd file) const noexcept;

 private:
  UniqueFd socket_;
};

}  // namespace sock::container
