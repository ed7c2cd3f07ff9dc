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

}  // namespace

std::unexpected<Error> corrupt_image(const std::string& what, std::string why) {
  return base::refuse(Errc::corrupt, Stage::checkpoint, what, std::move(why));
}

Result<CriuImage> split_image(std::string_view bytes, const std::string& what) {
  if (bytes.size() < 2 * word || number_at(bytes, 0) != image_magic)
    return corrupt_image(what, "it is no image of CRIU's");
  CriuImage image{.magic = number_at(bytes, word), .messages = {}};
  bytes.remove_prefix(2 * word);
  while (!bytes.empty()) {
    if (bytes.size() < word || bytes.size() - word < number_at(bytes, 0))
      return corrupt_image(what, "it is cut off");
    const std::size_t size = number_at(bytes, 0);
    image.messages.push_back(bytes.substr(word, size));
    bytes.remove_prefix(word + size);
  }
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
