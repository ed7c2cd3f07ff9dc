// Where the parts of a root go.

#include "isolation/rootfs/layout.hpp"

#include <algorithm>

#include "base/try.hpp"

namespace sock::isolation {
namespace {

std::unexpected<Error> bad(std::string subject, std::string why) {
  return base::refuse(Errc::invalid_spec, Stage::validate, std::move(subject), std::move(why));
}

Result<> check_counts(const Rootfs& rootfs) {
  if (rootfs.binds.size() > 1024) return bad("binds", "at most 1024");
  if (rootfs.packages.size() > 1024) return bad("packages", "at most 1024");
  if (rootfs.tmpfs.size() > 64) return bad("tmpfs", "at most 64");
  return {};
}

// Targets that would hide what the library itself puts there.
Result<> check_target(const std::string& target, std::string_view what) {
  if (target == "/" || target == "/proc" || is_below(target, "/proc") || target == "/dev")
    return bad(std::string{what} + " " + target, "nothing can be mounted there");
  return {};
}

// KERNEL: a size that overflows when it is rounded up to pages counts as none, which is no limit.
Result<> check_sizes(const Tmpfs& tmpfs) {
  constexpr std::uint64_t most_bytes = 1ULL << 60U;
  constexpr std::uint64_t most_inodes = 1ULL << 40U;
  constexpr std::uint32_t all_mode_bits = 07777;
  const std::string subject = "tmpfs " + tmpfs.target;
  if (tmpfs.size_max == 0) return bad(subject, "its size is 0");
  if (tmpfs.size_max > most_bytes) return bad(subject, "its size is at most 2^60 bytes");
  if (tmpfs.inodes_max == 0) return bad(subject, "its number of inodes is 0");
  if (tmpfs.inodes_max > most_inodes) return bad(subject, "its number of inodes is at most 2^40");
  if (tmpfs.mode > all_mode_bits) return bad(subject, "its mode is at most 07777");
  return {};
}

}  // namespace

Result<std::string> clean_path(std::string_view path, std::string_view what) {
  const std::string subject = std::string{what} + " \"" + std::string{path} + "\"";
  if (path.empty()) return bad(std::string{what}, "it is empty");
  if (path.front() != '/') return bad(subject, "give an absolute path");
  if (path.size() > 4095 || path.contains('\0')) return bad(std::string{what}, "not a path");
  std::string clean;
  while (!path.empty()) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    const std::string_view component = path.substr(0, path.find('/'));
    path.remove_prefix(component.size());
    if (component == "..") return bad(subject, "\"..\" is not allowed");
    if (component.size() > 255) return bad(subject, "a component is longer than 255 bytes");
    if (!component.empty() && component != ".") (clean += '/') += component;
  }
  return clean.empty() ? "/" : clean;
}

std::string_view first_component(std::string_view path) {
  path.remove_prefix(1);
  return path.substr(0, path.find('/'));
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() + 1 && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

std::string package_target(std::string_view source) {
  return "/packages/" + std::string{source.substr(source.rfind('/') + 1)};
}

std::uint64_t inode_limit(const Tmpfs& tmpfs) noexcept {
  // A page for each: the kernel's memory for inodes, which the size does not bound, then stays
  // below a quarter of it. The floor lets a small scratch hold empty files and directories too.
  constexpr std::uint64_t bytes_for_each = 4096;
  constexpr std::uint64_t floor = 1024;
  constexpr std::uint64_t cap = 1U << 20U;
  return tmpfs.inodes_max.value_or(std::clamp(tmpfs.size_max / bytes_for_each, floor, cap));
}

Result<Rootfs> check_rootfs(const Rootfs& rootfs) {
  SOCK_TRY(check_counts(rootfs));
  Rootfs clean = rootfs;
  if (rootfs.base != host_image) clean.base = SOCK_TRY(clean_path(rootfs.base, "rootfs"));
  if (!rootfs.handler.empty()) clean.handler = SOCK_TRY(clean_path(rootfs.handler, "handler"));
  for (std::string& package : clean.packages) {
    package = SOCK_TRY(clean_path(package, "package"));
    if (package == "/") return bad("package \"/\"", "name a directory");
    if (std::ranges::count(clean.packages, package_target(package), package_target) > 1)
      return bad("package " + package, "another one has the same last component");
  }
  for (Bind& bind : clean.binds) {
    bind.source = SOCK_TRY(clean_path(bind.source, "bind source"));
    bind.target = SOCK_TRY(clean_path(bind.target, "bind target"));
    SOCK_TRY(check_target(bind.target, "bind target"));
  }
  for (Tmpfs& tmpfs : clean.tmpfs) {
    tmpfs.target = SOCK_TRY(clean_path(tmpfs.target, "tmpfs"));
    SOCK_TRY(check_target(tmpfs.target, "tmpfs"));
    SOCK_TRY(check_sizes(tmpfs));
  }
  return clean;
}

}  // namespace sock::isolation
