// The image store of a user, opened.

#include "image_store.hpp"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

namespace sockctl {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>{value} : std::nullopt;
}

}  // namespace

Result<std::string> image_store_dir(const std::string& option) {
  return choose_image_store(option, {.sock_image_store = variable("SOCK_IMAGE_STORE"),
                                     .xdg_data_home = variable("XDG_DATA_HOME"),
                                     .home = variable("HOME"),
                                     .uid = ::geteuid()});
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
