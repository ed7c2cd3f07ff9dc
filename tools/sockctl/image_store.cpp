// The image store of a user, opened.

#include "image_store.hpp"

#include <filesystem>

#include "globals.hpp"
#include "store_place.hpp"

namespace sockctl {

Result<std::string> image_store_dir(const std::string& option) {
  return choose_store(image_store_place, option, current_caller());
}

Result<sock::ImageStore> open_image_store(const std::string& directory) {
  const auto above = std::filesystem::path{directory}.parent_path();
  std::error_code problem;
  std::filesystem::create_directories(above, problem);
  if (problem)
    return refuse(Errc::denied, Stage::rootfs, above.string(),
                  problem.message() + "; give --image-store");
  return sock::ImageStore::open({.directory = directory});
}

}  // namespace sockctl
