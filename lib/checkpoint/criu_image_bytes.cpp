// Taking CRIU's images apart, and putting them together.

#include "checkpoint/criu_image_bytes.hpp"

#include <cstring>

#include "base/try.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::uint32_t image_magic = 0x54564319;  // Of all that this library reads.
constexpr std::size_t word = sizeof(std::uint32_t);

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

void append(std::string& bytes, std::uint32_t number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

struct Headed {
  std::uint32_t magic;
  std::string_view rest;
};

Result<Headed> split_head(std::string_view bytes, const std::string& what) {
  if (bytes.size() < 2 * word || number_at(bytes, 0) != image_magic)
    return corrupt_image(what, "it is no image of CRIU's");
  return Headed{.magic = number_at(bytes, word), .rest = bytes.substr(2 * word)};
}

/// The first of `rest`, which begins after it then.
Result<std::string_view> take_message(std::string_view& rest, const std::string& what) {
  if (rest.size() < word || rest.size() - word < number_at(rest, 0))
    return corrupt_image(what, "it is cut off");
  const auto message = rest.substr(word, number_at(rest, 0));
  rest.remove_prefix(word + message.size());
  return message;
}

}  // namespace

std::unexpected<Error> corrupt_image(const std::string& what, std::string why) {
  return base::refuse(Errc::corrupt, Stage::checkpoint, what, std::move(why));
}

Result<CriuFirst> split_first(std::string_view bytes, const std::string& what) {
  auto [magic, rest] = SOCK_TRY(split_head(bytes, what));
  const auto message = SOCK_TRY(take_message(rest, what));
  return CriuFirst{.magic = magic, .message = message, .rest = rest};
}

Result<CriuImage> split_image(std::string_view bytes, const std::string& what) {
  auto [magic, rest] = SOCK_TRY(split_head(bytes, what));
  CriuImage image{.magic = magic, .messages = {}};
  while (!rest.empty()) image.messages.push_back(SOCK_TRY(take_message(rest, what)));
  return image;
}

std::string image_head(std::uint32_t magic) {
  std::string bytes;
  append(bytes, image_magic);
  append(bytes, magic);
  return bytes;
}

void append_message(std::string& bytes, const ProtobufCMessage& message) {
  const std::size_t size = protobuf_c_message_get_packed_size(&message);
  append(bytes, static_cast<std::uint32_t>(size));
  const std::size_t at = bytes.size();
  bytes.resize(at + size);
  protobuf_c_message_pack(&message, reinterpret_cast<std::uint8_t*>(bytes.data() + at));
}

}  // namespace sock::checkpoint
