// Reads CRIU's images, has it planned what they become, and writes them anew.

#include "checkpoint/page_file.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>

#include <fcntl.h>

#include "base/try.hpp"
#include "checkpoint/criu_image_files.hpp"
#include "checkpoint/criu_images.hpp"
#include "checkpoint/external_names.hpp"
#include "checkpoint/large_blocks.hpp"
#include "checkpoint/mapped_memory.hpp"
#include "checkpoint/sparse_writer.hpp"
#include "container/checkpointable.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

// More of them, and all are put together into one.
constexpr std::size_t most_earlier = 7;

Result<> replace(FdRef images, const std::string& name, std::string_view bytes) {
  const std::string staged = name + ".new";
  constexpr int new_file = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const auto file = SOCK_TRY(sys::open_beneath(images, staged, new_file, 0600));
  SOCK_TRY(sys::write_all(file, bytes));
  return sys::rename(images, staged, images, name);
}

/// One change of a snapshot's images.
class Rewriting {
 public:
  Rewriting(FdRef images, CriuFiles files, std::span<const EarlierPages> earlier,
            sys::Deadline deadline)
      : images_{images}, files_{std::move(files)}, earlier_{earlier}, deadline_{deadline} {}

  Result<MemoryForms> run(const CopyReasons& reasons) {
    number_earlier();
    MemoryForms forms;
    for (const auto& [process, reason] : reasons) {
      const auto memory = SOCK_TRY(read_memory(images_, process));
      auto areas = memory.areas();
      std::string why = reason;
      if (why.empty()) why = SOCK_TRY(map(process, areas));
      SOCK_TRY(write_areas(process, memory, std::move(areas)));
      const std::string program = files_.name_of(memory.program());
      const bool is_init = program == container::init_place;  // Ours, with hardly any memory.
      if (!why.empty() && !is_init)
        forms.copied.push_back("process " + process + " (" + program + "): " + why);
    }
    SOCK_TRY(keep_earlier());
    SOCK_TRY(replace(images_, files_image, files_.to_bytes()));
    forms.mapped_bytes = mapped_bytes_;
    return forms;
  }

 private:
  void number_earlier() {
    for (std::size_t place = 0; place < earlier_.size(); ++place)
      if (const auto number = files_.external(earlier_[place].name))
        page_files_.earlier.emplace(*number, place + 1);
    next_number_ = files_.free_number();
  }

  /// What becomes of the areas; why nothing can, or nothing when it is done.
  Result<std::string> map(const std::string& process, std::vector<CriuArea>& areas) {
    const std::string map_name = "pagemap-" + process + ".img";
    const std::string bytes = SOCK_TRY(sys::read_file(images_, map_name, most_criu_image));
    auto map = CriuPageMap::parse(bytes, map_name);
    if (!map.has_value()) return map.error().hint;
    const std::string pages_name = "pages-" + std::to_string(map->file) + ".img";
    const auto pages = SOCK_TRY(sys::open_beneath(images_, pages_name, O_RDONLY | O_NOFOLLOW));
    page_files_.own = next_number_++;
    page_files_.replaces_earlier = earlier_of(areas).size() > most_earlier;
    page_files_.blocks = SOCK_TRY(find_blocks_in(pages, map->pages));
    auto plan = map_memory(areas, map->pages, page_files_);
    if (!plan) return "its memory is in too many pieces";
    SOCK_TRY(move_pages(pages, pages_name, *plan));
    map->pages = plan->pages;
    SOCK_TRY(replace(images_, map_name, map->to_bytes()));
    areas = std::move(plan->areas);
    return "";
  }

  [[nodiscard]] std::set<std::uint64_t> earlier_of(const std::vector<CriuArea>& areas) const {
    std::set<std::uint64_t> files;
    for (const CriuArea& area : areas)
      if ((area.kind & criu_area::file_private) != 0 && page_files_.earlier.contains(area.file))
        files.insert(area.file);
    return files;
  }

  Result<std::vector<std::uint64_t>> find_blocks_in(FdRef pages,
                                                    const std::vector<CriuPages>& list) {
    std::vector<std::uint64_t> blocks;
    std::uint64_t source = 0;
    for (const CriuPages& each : list) {
      for (std::uint64_t done = 0; done < each.end - each.begin;) {
        const auto bytes = SOCK_TRY(read(pages, source, each.end - each.begin - done));
        find_large_blocks(bytes, each.begin + done, blocks);
        done += bytes.size();
        source += bytes.size();
      }
    }
    std::ranges::sort(blocks);
    return blocks;
  }

  // CRIU takes areas of one file at the same place in parent and child for memory that they share,
  // whatever their offsets. So each process has numbers of its own.
  Result<> write_areas(const std::string& process, const CriuMemory& memory,
                       std::vector<CriuArea> areas) {
    std::map<std::size_t, std::uint32_t> own_numbers;
    for (CriuArea& area : areas) {
      if ((area.kind & criu_area::file_private) == 0) continue;
      if (area.file == page_files_.own) mapped_bytes_ += area.size();
      const auto earlier = page_files_.earlier.find(area.file);
      if (earlier == page_files_.earlier.end()) continue;
      mapped_bytes_ += area.size();
      const auto [own, is_new] = own_numbers.try_emplace(earlier->second, next_number_);
      if (is_new) earlier_numbers_.emplace(next_number_++, earlier->second);
      area.file = own->second;
    }
    return replace(images_, memory_image(process), memory.with(areas));
  }

  Result<> move_pages(FdRef pages, const std::string& pages_name, const MappedMemory& plan) {
    constexpr int new_file = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
    if (plan.size > 0) {
      const std::string name = next_name();
      const auto own = SOCK_TRY(sys::open_beneath(images_, name, new_file, 0600));
      for (const PageMove& each : plan.moved) SOCK_TRY(move(each, pages, own));
      SOCK_TRY(sys::set_size(own, plan.size));
      files_.add_external(page_files_.own, key_of_page_file(name));
    }
    const std::string staged = pages_name + ".new";
    const auto left = SOCK_TRY(sys::open_beneath(images_, staged, new_file, 0600));
    for (const PageMove& each : plan.left) SOCK_TRY(move(each, pages, left));
    if (!plan.left.empty())
      SOCK_TRY(sys::set_size(left, plan.left.back().target + plan.left.back().size));
    return sys::rename(images_, staged, images_, pages_name);
  }

  /// At most a buffer full.
  Result<std::string_view> read(FdRef file, std::uint64_t offset, std::uint64_t most) {
    if (std::chrono::steady_clock::now() >= deadline_)
      return base::refuse(Errc::timed_out, Stage::checkpoint, "memory",
                          "writing it down takes too long");
    const auto wanted = std::min<std::uint64_t>(most, buffer_.size());
    const auto count = SOCK_TRY(sys::read_at_offset(file, buffer_.data(), wanted, offset));
    if (count != wanted)
      return base::refuse(Errc::corrupt, Stage::checkpoint, "memory", "CRIU's pages are cut off");
    return std::string_view{buffer_.data(), count};
  }

  Result<> move(const PageMove& pages, FdRef criu, FdRef target) {
    const FdRef source = pages.from == 0 ? criu : earlier_[pages.from - 1].file;
    for (std::uint64_t done = 0; done < pages.size;) {
      const auto bytes = SOCK_TRY(read(source, pages.source + done, pages.size - done));
      SOCK_TRY(write_sparsely(target, bytes, pages.target + done));
      done += bytes.size();
    }
    return {};
  }

  std::string next_name() { return std::string{page_file_start} + std::to_string(files_made_++); }

  // What is still mapped of the earlier ones.
  Result<> keep_earlier() {
    std::map<std::size_t, std::string> names;
    for (const auto& [number, place] : earlier_numbers_) {
      const auto [name, is_new] = names.try_emplace(place);
      if (is_new) {
        name->second = next_name();
        SOCK_TRY(keep(earlier_[place - 1].file, name->second));
      }
      files_.add_external(number, key_of_page_file(name->second));
    }
    return {};
  }

  // It has no name any more when its snapshot was removed, and none here from another disk.
  Result<> keep(FdRef file, const std::string& name) {
    if (sys::link_file(file, images_, name).has_value()) return {};
    constexpr int new_file = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
    const auto copy = SOCK_TRY(sys::open_beneath(images_, name, new_file, 0600));
    const auto size = SOCK_TRY(sys::inode(file))
    .size;
    const PageMove all{.from = 0, .source = 0, .target = 0, .size = size};
    SOCK_TRY(move(all, file, copy));
    return sys::set_size(copy, size);
  }

  static constexpr std::size_t buffer_size = 1U << 20U;
  FdRef images_;
  CriuFiles files_;
  std::span<const EarlierPages> earlier_;
  sys::Deadline deadline_;
  PageFiles page_files_ = {};
  std::uint32_t next_number_ = 0;
  /// Numbers in the table of files, and the earlier file's place, as in PageMove.
  std::map<std::uint32_t, std::size_t> earlier_numbers_ = {};
  std::size_t files_made_ = 0;
  std::uint64_t mapped_bytes_ = 0;
  std::string buffer_ = std::string(buffer_size, '\0');
};

}  // namespace

Result<MemoryForms> write_page_file(FdRef images, const CopyReasons& reasons,
                                    std::span<const EarlierPages> earlier, sys::Deadline deadline) {
  auto files = SOCK_TRY(read_files(images));
  return Rewriting{images, std::move(files), earlier, deadline}.run(reasons);
}

}  // namespace sock::checkpoint
