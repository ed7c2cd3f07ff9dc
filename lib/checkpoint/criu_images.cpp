// Packing and unpacking by protobuf-c, which keeps the fields that it does not know.

#include "checkpoint/criu_images.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "checkpoint/criu_image_bytes.hpp"
#include "criu_images.pb-c.h"

namespace sock::checkpoint {
namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint32_t pages_lazy = 1U << 1U;  // May be filled later; here that is not asked for.
constexpr std::uint32_t pages_present = 1U << 2U;
constexpr int regular_file = 1;

}  // namespace

struct CriuMemory::Message {
  std::uint32_t magic;
  OwnedMessage<Criu__Memory> memory;
};

CriuMemory::CriuMemory(std::unique_ptr<Message> message) noexcept : message_{std::move(message)} {}
CriuMemory::CriuMemory(CriuMemory&&) noexcept = default;
CriuMemory& CriuMemory::operator=(CriuMemory&&) noexcept = default;
CriuMemory::~CriuMemory() = default;

Result<CriuMemory> CriuMemory::parse(std::string_view bytes, const std::string& what) {
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  if (image.messages.size() != 1) return corrupt_image(what, "it has not one message");
  const auto message = image.messages.front();
  auto memory = SOCK_TRY(unpack_message(criu__memory__unpack, message, what));
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
  std::string bytes = image_head(message_->magic);
  append_message(bytes, memory.base);
  return bytes;
}

Result<CriuPageMap> CriuPageMap::parse(std::string_view bytes, const std::string& what) {
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  if (image.messages.empty()) return corrupt_image(what, "it is empty");
  const auto first = image.messages.front();
  const auto name = SOCK_TRY(unpack_message(criu__pages_name__unpack, first, what));
  CriuPageMap map{.file = name->pages_id, .magic = image.magic};
  for (std::size_t number = 1; number < image.messages.size(); ++number) {
    const auto message = image.messages[number];
    const auto pages = SOCK_TRY(unpack_message(criu__pages__unpack, message, what));
    const std::uint64_t count = pages->has_nr_pages != 0 ? pages->nr_pages : pages->compat_nr_pages;
    if (pages->base.n_unknown_fields > 0 || pages->has_flags == 0 ||
        (pages->flags & ~pages_lazy) != pages_present)
      return base::refuse(Errc::unsupported, Stage::checkpoint, what, "pages of an unknown kind");
    constexpr std::uint64_t most = std::uint64_t{1} << 40U;
    if (count > most || pages->vaddr > ~std::uint64_t{0} - count * page_size)
      return corrupt_image(what, "pages where none can be");
    map.has_short_counts = map.has_short_counts || pages->has_nr_pages == 0;
    map.pages.push_back(
        {.begin = pages->vaddr, .end = pages->vaddr + count * page_size, .flags = pages->flags});
  }
  return map;
}

std::string CriuPageMap::to_bytes() const {
  std::string bytes = image_head(magic);
  Criu__PagesName name = CRIU__PAGES_NAME__INIT;
  name.pages_id = file;
  append_message(bytes, name.base);
  for (const CriuPages& each : pages) {
    Criu__Pages message = CRIU__PAGES__INIT;
    message.vaddr = each.begin;
    const std::uint64_t count = (each.end - each.begin) / page_size;
    message.has_nr_pages = has_short_counts ? 0 : 1;
    message.nr_pages = has_short_counts ? 0 : count;
    message.compat_nr_pages = has_short_counts ? static_cast<std::uint32_t>(count) : 0;
    message.has_flags = 1;
    message.flags = each.flags;
    append_message(bytes, message.base);
  }
  return bytes;
}

struct CriuFiles::Messages {
  std::uint32_t magic;
  std::vector<OwnedMessage<Criu__File>> files = {};

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
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  auto messages = std::make_unique<Messages>(image.magic);
  for (const auto message : image.messages)
    messages->files.push_back(SOCK_TRY(unpack_message(criu__file__unpack, message, what)));
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
  messages_->files.push_back(
      own_message(criu__file__unpack(nullptr, bytes.size(), data_of(bytes))));
}

std::string CriuFiles::to_bytes() const {
  std::string bytes = image_head(messages_->magic);
  for (const auto& file : messages_->files) append_message(bytes, file->base);
  return bytes;
}

}  // namespace sock::checkpoint
