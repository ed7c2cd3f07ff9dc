// Packing and unpacking by protobuf-c, which keeps the fields that it does not know.

#include "checkpoint/criu_images.hpp"

#include <algorithm>
#include <cstring>

#include "base/try.hpp"
#include "criu_images.pb-c.h"

namespace sock::checkpoint {
namespace {

constexpr std::uint32_t image_magic = 0x54564319;  // Of all that this library reads.
constexpr std::uint64_t page_size = 4096;
constexpr std::uint32_t pages_lazy = 1U << 1U;  // May be filled later; here that is not asked for.
constexpr std::uint32_t pages_present = 1U << 2U;
constexpr int regular_file = 1;

std::unexpected<Error> corrupt(const std::string& what, std::string why) {
  return base::refuse(Errc::corrupt, Stage::checkpoint, what, std::move(why));
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

void append(std::string& bytes, std::uint32_t number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

struct Image {
  std::uint32_t magic;
  std::vector<std::string_view> messages;
};

/// The messages of an image, which lie in `bytes`.
Result<Image> split(std::string_view bytes, const std::string& what) {
  constexpr std::size_t word = sizeof(std::uint32_t);
  if (bytes.size() < 2 * word || number_at(bytes, 0) != image_magic)
    return corrupt(what, "it is no image of CRIU's");
  Image image{.magic = number_at(bytes, word), .messages = {}};
  bytes.remove_prefix(2 * word);
  while (!bytes.empty()) {
    if (bytes.size() < word || bytes.size() - word < number_at(bytes, 0))
      return corrupt(what, "it is cut off");
    const std::size_t size = number_at(bytes, 0);
    image.messages.push_back(bytes.substr(word, size));
    bytes.remove_prefix(word + size);
  }
  return image;
}

std::string head(std::uint32_t magic) {
  std::string bytes;
  append(bytes, image_magic);
  append(bytes, magic);
  return bytes;
}

const std::uint8_t* data_of(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

template <class Message>
using Owned = std::unique_ptr<Message, void (*)(Message*)>;

template <class Message>
Owned<Message> own(Message* message) {
  return {message, [](Message* each) { protobuf_c_message_free_unpacked(&each->base, nullptr); }};
}

void append(std::string& bytes, const ProtobufCMessage& message) {
  const std::size_t size = protobuf_c_message_get_packed_size(&message);
  append(bytes, static_cast<std::uint32_t>(size));
  const std::size_t at = bytes.size();
  bytes.resize(at + size);
  protobuf_c_message_pack(&message, reinterpret_cast<std::uint8_t*>(bytes.data() + at));
}

}  // namespace

struct CriuMemory::Message {
  std::uint32_t magic;
  Owned<Criu__Memory> memory;
};

CriuMemory::CriuMemory(std::unique_ptr<Message> message) noexcept : message_{std::move(message)} {}
CriuMemory::CriuMemory(CriuMemory&&) noexcept = default;
CriuMemory& CriuMemory::operator=(CriuMemory&&) noexcept = default;
CriuMemory::~CriuMemory() = default;

Result<CriuMemory> CriuMemory::parse(std::string_view bytes, const std::string& what) {
  const Image image = SOCK_TRY(split(bytes, what));
  if (image.messages.size() != 1) return corrupt(what, "it has not one message");
  const auto message = image.messages.front();
  auto memory = own(criu__memory__unpack(nullptr, message.size(), data_of(message)));
  if (!memory) return corrupt(what, "its message is damaged");
  return CriuMemory{std::make_unique<Message>(image.magic, std::move(memory))};
}

std::vector<CriuArea> CriuMemory::areas() const {
  std::vector<CriuArea> areas;
  const auto& memory = *message_->memory;
  for (std::size_t number = 0; number < memory.n_vmas; ++number) {
    const Criu__Area& area = *memory.vmas[number];
    areas.push_back({.begin = area.start,
                     .end = area.end,
                     .offset = area.pgoff,
                     .file = area.shmid,
                     .protection = area.prot,
                     .flags = area.flags,
                     .kind = area.status,
                     .advice = area.has_madv != 0 ? area.madv : 0,
                     .open = {},
                     .like = number});
    if (area.has_fdflags != 0) areas.back().open = area.fdflags;
  }
  return areas;
}

std::uint32_t CriuMemory::program() const {
  return message_->memory->exe_file_id;
}

std::string CriuMemory::with(const std::vector<CriuArea>& areas) const {
  const Criu__Memory& original = *message_->memory;
  std::vector<Criu__Area> changed;
  changed.reserve(areas.size());
  for (const CriuArea& area : areas) {
    Criu__Area message = *original.vmas[area.like];
    message.start = area.begin;
    message.end = area.end;
    message.pgoff = area.offset;
    message.shmid = area.file;
    message.prot = area.protection;
    message.flags = area.flags;
    message.status = area.kind;
    message.has_fdflags = area.open ? 1 : 0;
    message.fdflags = area.open.value_or(0);
    changed.push_back(message);
  }
  std::vector<Criu__Area*> pointers;
  for (auto& area : changed) pointers.push_back(&area);
  Criu__Memory memory = original;
  memory.vmas = pointers.data();
  memory.n_vmas = pointers.size();
  std::string bytes = head(message_->magic);
  append(bytes, memory.base);
  return bytes;
}

Result<CriuPageMap> CriuPageMap::parse(std::string_view bytes, const std::string& what) {
  const Image image = SOCK_TRY(split(bytes, what));
  if (image.messages.empty()) return corrupt(what, "it is empty");
  const auto first = image.messages.front();
  const auto name = own(criu__pages_name__unpack(nullptr, first.size(), data_of(first)));
  if (!name) return corrupt(what, "its first message is damaged");
  CriuPageMap map{.file = name->pages_id, .magic = image.magic};
  for (std::size_t number = 1; number < image.messages.size(); ++number) {
    const auto message = image.messages[number];
    const auto pages = own(criu__pages__unpack(nullptr, message.size(), data_of(message)));
    if (!pages) return corrupt(what, "a message is damaged");
    const std::uint64_t count = pages->has_nr_pages != 0 ? pages->nr_pages : pages->compat_nr_pages;
    if (pages->base.n_unknown_fields > 0 || pages->has_flags == 0 ||
        (pages->flags & ~pages_lazy) != pages_present)
      return base::refuse(Errc::unsupported, Stage::checkpoint, what, "pages of an unknown kind");
    constexpr std::uint64_t most = std::uint64_t{1} << 40U;
    if (count > most || pages->vaddr > ~std::uint64_t{0} - count * page_size)
      return corrupt(what, "pages where none can be");
    map.has_short_counts = map.has_short_counts || pages->has_nr_pages == 0;
    map.pages.push_back(
        {.begin = pages->vaddr, .end = pages->vaddr + count * page_size, .flags = pages->flags});
  }
  return map;
}

std::string CriuPageMap::to_bytes() const {
  std::string bytes = head(magic);
  Criu__PagesName name = CRIU__PAGES_NAME__INIT;
  name.pages_id = file;
  append(bytes, name.base);
  for (const CriuPages& each : pages) {
    Criu__Pages message = CRIU__PAGES__INIT;
    message.vaddr = each.begin;
    const std::uint64_t count = (each.end - each.begin) / page_size;
    message.has_nr_pages = has_short_counts ? 0 : 1;
    message.nr_pages = has_short_counts ? 0 : count;
    message.compat_nr_pages = has_short_counts ? static_cast<std::uint32_t>(count) : 0;
    message.has_flags = 1;
    message.flags = each.flags;
    append(bytes, message.base);
  }
  return bytes;
}

struct CriuFiles::Messages {
  std::uint32_t magic;
  std::vector<Owned<Criu__File>> files = {};

  [[nodiscard]] Criu__RegularFile* find(std::uint64_t number) const {
    const auto found = std::ranges::find_if(
        files, [&](const auto& file) { return file->reg != nullptr && file->id == number; });
    return found != files.end() ? (*found)->reg : nullptr;
  }
};

CriuFiles::CriuFiles(std::unique_ptr<Messages> messages) noexcept
    : messages_{std::move(messages)} {}
CriuFiles::CriuFiles(CriuFiles&&) noexcept = default;
CriuFiles& CriuFiles::operator=(CriuFiles&&) noexcept = default;
CriuFiles::~CriuFiles() = default;

Result<CriuFiles> CriuFiles::parse(std::string_view bytes, const std::string& what) {
  const Image image = SOCK_TRY(split(bytes, what));
  auto messages = std::make_unique<Messages>(image.magic);
  for (const auto message : image.messages) {
    messages->files.push_back(own(criu__file__unpack(nullptr, message.size(), data_of(message))));
    if (!messages->files.back()) return corrupt(what, "a message is damaged");
  }
  return CriuFiles{std::move(messages)};
}

std::string CriuFiles::name_of(std::uint64_t number) const {
  const auto* const file = messages_->find(number);
  return file != nullptr ? file->name : "";
}

std::optional<std::uint32_t> CriuFiles::external(std::string_view name) const {
  for (const auto& file : messages_->files)
    if (file->reg != nullptr && file->reg->has_ext != 0 && file->reg->ext != 0 &&
        file->reg->name == name)
      return file->id;
  return std::nullopt;
}

std::uint32_t CriuFiles::free_number() const {
  std::uint32_t number = 0;
  for (const auto& file : messages_->files) number = std::max(number, file->id);
  return number + 1;
}

void CriuFiles::add_external(std::uint32_t number, const std::string& name) {
  Criu__Owner nobody = CRIU__OWNER__INIT;
  Criu__RegularFile regular = CRIU__REGULAR_FILE__INIT;
  regular.id = number;
  regular.fown = &nobody;
  regular.name = const_cast<char*>(name.c_str());
  regular.has_ext = 1;
  regular.ext = 1;
  Criu__File file = CRIU__FILE__INIT;
  file.type = regular_file;
  file.id = number;
  file.reg = &regular;
  // A message that owns all its parts, as the others do.
  std::string bytes(criu__file__get_packed_size(&file), '\0');
  criu__file__pack(&file, reinterpret_cast<std::uint8_t*>(bytes.data()));
  messages_->files.push_back(own(criu__file__unpack(nullptr, bytes.size(), data_of(bytes))));
}

std::string CriuFiles::to_bytes() const {
  std::string bytes = head(messages_->magic);
  for (const auto& file : messages_->files) append(bytes, file->base);
  return bytes;
}

}  // namespace sock::checkpoint
