// The sending end of the closing process.

#include "container/closer.hpp"

#include <array>
#include <new>

#include "sys/message.hpp"

namespace sock::container {

Closer::Closer(UniqueFd socket) noexcept : socket_{std::move(socket)} {}

void Closer::close(UniqueFd file) const noexcept {
  if (!file || !socket_) return;
  constexpr std::array<std::byte, 1> one{};
  try {
    const FdRef descriptor = file;
    // Ours is closed in any case. If it was sent, that is not the last close.
    static_cast<void>(
        sys::send_message(socket_, one, {&descriptor, 1}, sys::Wait::never).has_value());
  } catch (const std::bad_alloc&) {  // By the text of an error: nothing was sent.
  }
}

}  // namespace sock::container
