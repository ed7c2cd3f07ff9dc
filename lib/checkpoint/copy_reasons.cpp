// Their programs and libraries are looked up, and judged (zero_reliance.hpp).

#include "checkpoint/copy_reasons.hpp"

#include <chrono>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "checkpoint/criu_image_files.hpp"
#include "checkpoint/zero_reliance.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::checkpoint {
namespace {

/// What the processes of a container have code of: most of it is the same in all of them. The files
/// may be anything, and everything stands still meanwhile: what takes too long stays unknown.
class Objects {
 public:
  Objects(FdRef root, const CriuFiles& files, sys::Deadline deadline)
      : root_{root}, files_{files}, deadline_{deadline} {}

  std::vector<LoadedObject> of(const CriuMemory& memory) {
    std::vector<LoadedObject> objects{find(memory.program())};
    objects.front().is_program = true;
    for (const CriuArea& area : memory.areas()) {
      const bool is_of_file = (area.kind & criu_area::anonymous_private) == 0 && area.file != 0;
      if ((area.protection & PROT_EXEC) == 0 || !is_of_file || area.file == memory.program())
        continue;
      objects.push_back(find(area.file));
    }
    return objects;
  }

 private:
  const LoadedObject& find(std::uint64_t number) {
    const auto [found, is_new] = known_.try_emplace(number);
    if (is_new) {
      found->second.path = files_.name_of(number);
      const auto traits = traits_of(found->second.path);
      found->second.is_readable = traits.has_value();
      if (traits.has_value()) found->second.traits = *traits;
    }
    return found->second;
  }

  Result<ElfTraits> traits_of(const std::string& path) {
    const auto file =
        SOCK_TRY(sys::open_in_root(root_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW));
    const auto inode = SOCK_TRY(sys::inode(file));
    if (!S_ISREG(inode.mode)) return base::refuse(Errc::corrupt, Stage::none, path, "no file");
    return read_elf_traits([&](std::uint64_t offset, std::size_t size) -> Result<std::string> {
      if (size > left_ || std::chrono::steady_clock::now() >= deadline_)
        return base::refuse(Errc::exhausted, Stage::none, path, "there is too much to read");
      left_ -= size;
      std::string bytes(size, '\0');
      bytes.resize(SOCK_TRY(sys::read_at_offset(file, bytes.data(), size, offset)));
      return bytes;
    });
  }

  FdRef root_;
  const CriuFiles& files_;
  const sys::Deadline deadline_;
  std::size_t left_ = 512U << 20U;  ///< Bytes that may be read.
  std::map<std::uint64_t, LoadedObject> known_;
};

}  // namespace

Result<CopyReasons> why_copied(FdRef images, FdRef root, sys::Deadline deadline) {
  const auto files = SOCK_TRY(read_files(images));
  Objects objects{root, files, deadline};
  CopyReasons reasons;
  for (const auto& process : SOCK_TRY(processes_in(images))) {
    const auto memory = SOCK_TRY(read_memory(images, process));
    reasons.emplace(process, why_zeros_matter(objects.of(memory)));
  }
  return reasons;
}

Result<CopyReasons> all_copied(FdRef images, const std::string& reason) {
  CopyReasons reasons;
  for (auto& process : SOCK_TRY(processes_in(images))) reasons.emplace(std::move(process), reason);
  return reasons;
}

Result<CopyReasons> none_copied(FdRef images) {
  return all_copied(images, "");
}

}  // namespace sock::checkpoint
