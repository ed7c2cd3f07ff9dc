// Opening a store.

#include "store/store_directory.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/try.hpp"
#include "store/stage.hpp"
#include "store/store_locks.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {
namespace {

constexpr std::string_view format_file = "format";
constexpr std::array<std::string_view, 3> always_there{"format", "locks", "staging"};

Result<std::string> canonical(const std::string& path) {
  std::error_code problem;
  auto real = std::filesystem::canonical(path, problem);
  if (problem) return base::refuse(Errc::not_found, store_stage, path, problem.message());
  return real.string();
}

Result<> check_owner(FdRef top, const std::string& path, const StoreKind& kind) {
  const auto found = SOCK_TRY(sys::inode(top));
  if (found.uid != ::geteuid())
    return base::refuse(
        Errc::denied, store_stage, path,
        "the " + std::string{kind.name} + " belongs to user " + std::to_string(found.uid));
  if ((found.mode & 077U) != 0)
    return base::refuse(Errc::denied, store_stage, path,
                        "others may reach the programs of strangers in it: chmod 700");
  return {};
}

Result<> check_format(const std::string& text, const std::string& path, const StoreKind& kind) {
  unsigned version = 0;
  const std::string start = std::string{kind.word} + ' ';
  const bool is_ours = text.starts_with(start) && text.ends_with('\n');
  const char* first = text.data() + std::min(text.size(), start.size());
  const auto [end, problem] = std::from_chars(first, text.data() + text.size(), version);
  if (!is_ours || problem != std::errc{} || *end != '\n' || version == 0)
    return base::refuse(Errc::corrupt, store_stage, path + "/format",
                        "no format of the " + std::string{kind.name});
  if (version > kind.version)
    return base::refuse(Errc::unsupported, store_stage, path,
                        "a " + std::string{kind.name} + " of format " + std::to_string(version) +
                            ", where this version knows " + std::to_string(kind.version));
  return {};
}

// A directory that was meant for something else is not filled with ours.
Result<> check_is_new(FdRef top, const std::string& path, const StoreKind& kind) {
  for (const auto& name : SOCK_TRY(sys::list_dir(top)))
    if (std::ranges::find(always_there, name) == always_there.end() &&
        std::ranges::find(kind.parts, name) == kind.parts.end())
      return base::refuse(
          Errc::invalid_spec, store_stage, path,
          "it is no " + std::string{kind.name} + ", and not empty: '" + name + "' is in it");
  return {};
}

// Under the catalog's lock: nobody can use the store before its format is there, so nobody takes
// the temporary file for a dead one's.
Result<> write_format(const StoreDirectory& store, const StoreKind& kind) {
  const StoreLocks locks = SOCK_TRY(StoreLocks::open(store));
  SOCK_TRY(locks.lock(LockKey::catalog(), sys::LockMode::exclusive));
  if (sys::status_at(store.top, std::string{format_file}).has_value()) return {};
  const std::string temporary = SOCK_TRY(sys::random_hex(8));
  const UniqueFd file =
      SOCK_TRY(sys::open_beneath(store.staging, temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
  SOCK_TRY(
      sys::write_all(file, std::string{kind.word} + ' ' + std::to_string(kind.version) + "\n"));
  SOCK_TRY(sys::sync_file(file));
  SOCK_TRY(sys::rename(store.staging, temporary, store.top, std::string{format_file}));
  return sys::sync_file(store.top);
}

Result<UniqueFd> ensure_part(FdRef top, const std::string& name) {
  SOCK_TRY(sys::ensure_dir(top, name, 0700));
  return sys::open_beneath(top, name, O_RDONLY | O_DIRECTORY);
}

Result<StoreDirectory> open_store(const std::string& path, const StoreKind& kind) {
  SOCK_TRY(sys::ensure_dir(sys::cwd, path, 0700));
  StoreDirectory store{};
  store.path = SOCK_TRY(canonical(path));
  store.top = SOCK_TRY(sys::open_literally(sys::cwd, store.path, O_RDONLY | O_DIRECTORY));
  SOCK_TRY(check_owner(store.top, store.path, kind));
  const auto format = sys::read_file(store.top, std::string{format_file}, 256);
  if (format.has_value())
    SOCK_TRY(check_format(*format, store.path, kind));
  else if (format.error().code == Errc::not_found)
    SOCK_TRY(check_is_new(store.top, store.path, kind));
  else
    return std::unexpected(format.error());
  store.staging = SOCK_TRY(ensure_part(store.top, "staging"));
  for (const auto name : kind.parts) SOCK_TRY(ensure_part(store.top, std::string{name}));
  if (!format.has_value()) SOCK_TRY(write_format(store, kind));
  return store;
}

}  // namespace

Result<StoreDirectory> StoreDirectory::open(const std::string& path, const StoreKind& kind) {
  return base::in_stage(store_stage, open_store(path, kind));
}

Result<UniqueFd> StoreDirectory::open_part(const std::string& name) const {
  return base::in_stage(store_stage, sys::open_beneath(top, name, O_RDONLY | O_DIRECTORY));
}

}  // namespace sock::store
