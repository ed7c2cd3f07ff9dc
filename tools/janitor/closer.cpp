// Receives descriptors, and closes them by forgetting them.

#include "closer.hpp"

#include <array>

#include "sys/message.hpp"

void close_what_comes(sock::FdRef socket) {
  std::array<std::byte, 1> message;
  while (sock::sys::receive_message(socket, message, sock::sys::Wait::until_done)) {
  }
}
