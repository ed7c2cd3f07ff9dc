// Names of error codes and stages, and the one line that people read.

#include <array>
#include <cstring>

#include "sock/result.hpp"

namespace sock {
namespace {

constexpr std::array errc_names{
    std::string_view{"invalid_spec"}, std::string_view{"unsupported"},
    std::string_view{"denied"},       std::string_view{"not_found"},
    std::string_view{"exists"},       std::string_view{"exhausted"},
    std::string_view{"timed_out"},    std::string_view{"launch_failed"},
    std::string_view{"closed"},       std::string_view{"corrupt"},
    std::string_view{"io"},
};
static_assert(errc_names.size() == static_cast<std::size_t>(Errc::io) + 1);

constexpr std::array stage_names{
    std::string_view{"none"},           std::string_view{"validate"},
    std::string_view{"state"},          std::string_view{"cgroup"},
    std::string_view{"rootfs"},         std::string_view{"clone"},
    std::string_view{"import_modules"}, std::string_view{"fork"},
    std::string_view{"restore"},        std::string_view{"cgroup_join"},
    std::string_view{"namespaces"},     std::string_view{"mounts"},
    std::string_view{"root"},           std::string_view{"identity"},
    std::string_view{"capabilities"},   std::string_view{"landlock"},
    std::string_view{"rlimits"},        std::string_view{"seccomp"},
    std::string_view{"exec"},           std::string_view{"wait"},
    std::string_view{"pause"},          std::string_view{"resume"},
    std::string_view{"kill"},           std::string_view{"checkpoint"},
    std::string_view{"stats"},
};
static_assert(stage_names.size() == static_cast<std::size_t>(Stage::stats) + 1);

}  // namespace

std::string_view to_string(Errc code) noexcept {
  return errc_names[static_cast<std::size_t>(code)];
}

std::string_view to_string(Stage stage) noexcept {
  return stage_names[static_cast<std::size_t>(stage)];
}

std::string Error::message() const {
  std::string line{to_string(stage)};
  if (!subject.empty()) line += ": " + printable(subject);
  if (sys_errno != 0) line += std::string{": "} + ::strerrordesc_np(sys_errno);
  line += " (" + std::string{to_string(code)} + ")";
  if (!hint.empty()) line += "; " + printable(hint);
  return line;
}

}  // namespace sock
