#pragma once

// What all of CRIU's images have in common: two magic words, then messages with their lengths.
// Pure.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <protobuf-c/protobuf-c.h>

#include "sock/result.hpp"

namespace sock::checkpoint {

struct CriuImage {
  std::uint32_t magic;  ///< The second word: which image it is.
  std::vector<std::string_view> messages;
};

std::unexpected<Error> corrupt_image(const std::string& what, std::string why);
/// The messages of an image, which lie in `bytes`. On failure: Errc::corrupt.
Result<CriuImage> split_image(std::string_view bytes, const std::string& what);

/// One message, and what is no message after it.
struct CriuFirst {
  std::uint32_t magic;
  std::string_view message;
  std::string_view rest;
};
/// As split_image().
Result<CriuFirst> split_first(std::string_view bytes, const std::string& what);

/// What an image begins with.
std::string image_head(std::uint32_t magic);
void append_message(std::string& bytes, const ProtobufCMessage& message);

template <class Message>
using OwnedMessage = std::unique_ptr<Message, void (*)(Message*)>;

template <class Message>
OwnedMessage<Message> own_message(Message* message) {
  return {message, [](Message* each) { protobuf_c_message_free_unpacked(&each->base, nullptr); }};
}

inline const std::uint8_t* data_of(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// By the function that protobuf-c has made for this kind of message. On failure: Errc::corrupt.
template <class Unpack>
auto unpack_message(Unpack unpack, std::string_view bytes, const std::string& what)
    -> Result<decltype(own_message(unpack(nullptr, 0, nullptr)))> {
  auto message = own_message(unpack(nullptr, bytes.size(), data_of(bytes)));
  if (!message) return corrupt_image(what, "a message is damaged");
  return message;
}

}  // namespace sock::checkpoint
