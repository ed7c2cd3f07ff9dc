// Finding and reading CRIU's images.

#include "checkpoint/criu_image_files.hpp"

#include <string_view>

#include "base/try.hpp"
#include "sys/file.hpp"

namespace sock::checkpoint {
namespace {

constexpr std::string_view memory_start = "mm-";
constexpr std::string_view image_end = ".img";

}  // namespace

std::string memory_image(const std::string& process) {
  return std::string{memory_start} + process + std::string{image_end};
}

Result<std::vector<std::string>> processes_in(FdRef images) {
  std::vector<std::string> processes;
  for (const auto& name : SOCK_TRY(sys::list_dir(images)))
    if (name.starts_with(memory_start) && name.ends_with(image_end))
      processes.push_back(
          name.substr(memory_start.size(), name.size() - memory_start.size() - image_end.size()));
  return processes;
}

Result<CriuMemory> read_memory(FdRef images, const std::string& process) {
  const std::string name = memory_image(process);
  const std::string bytes = SOCK_TRY(sys::read_file(images, name, most_criu_image));
  return CriuMemory::parse(bytes, name);
}

Result<CriuFiles> read_files(FdRef images) {
  const std::string bytes = SOCK_TRY(sys::read_file(images, files_image, most_criu_image));
  return CriuFiles::parse(bytes, files_image);
}

}  // namespace sock::checkpoint
