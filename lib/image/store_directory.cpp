// Opening a store, and its locks.

#include "image/store_directory.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/try.hpp"
#include "image/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::image {
namespace {

constexpr std::string_view format_file = "format";
constexpr std::string_view locks_file = "locks";
constexpr std::string_view format_word = "sock-images ";
constexpr unsigned format_version = 1;
constexpr std::array own_names{"documents", "format", "images",   "layers", "locks",
                               "mounts",    "names",  "prefetch", "roots",  "staging"};

Result<std::string> canonical(const std::string& path) {
  std::error_code problem;
  auto real = std::filesystem::canonical(path, problem);
  if (problem) return base::refuse(Errc::not_found, image_stage, path, problem.message());
  return real.string();
}

Result<> check_owner(FdRef top, const std::string& path) {
  const auto found = SOCK_TRY(sys::inode(top));
  if (found.uid != ::geteuid())
    return base::refuse(Errc::denied, image_stage, path,
                        "the image store belongs to user " + std::to_string(found.uid));
  if ((found.mode & 077U) != 0)
    return base::refuse(Errc::denied, image_stage, path,
                        "others may reach the set-user-ID programs in it: chmod 700");
  return {};
}

Result<> check_format(const std::string& text, const std::string& path) {
  unsigned version = 0;
  const bool is_ours = text.starts_with(format_word) && text.ends_with('\n');
  const char* first = text.data() + std::min(text.size(), format_word.size());
  const auto [end, problem] = std::from_chars(first, text.data() + text.size(), version);
  if (!is_ours || problem != std::errc{} || *end != '\n' || version == 0)
    return base::refuse(Errc::corrupt, image_stage, path + "/format",
                        "no format of an image store");
  if (version > format_version)
    return base::refuse(Errc::unsupported, image_stage, path,
                        "an image store of format " + std::to_string(version) +
                            ", where this version knows " + std::to_string(format_version));
  return {};
}

// A directory that was meant for something else is not filled with ours.
Result<> check_is_new(FdRef top, const std::string& path) {
  for (const auto& name : SOCK_TRY(sys::list_dir(top)))
    if (std::ranges::find(own_names, name) == own_names.end())
      return base::refuse(Errc::invalid_spec, image_stage, path,
                          "it is no image store, and not empty: '" + name + "' is in it");
  return {};
}

// Under the catalog's lock: nobody can use the store before its format is there, so nobody takes
// the temporary file for a dead importer's.
Result<> write_format(const StoreDirectory& store) {
  const StoreLocks locks = SOCK_TRY(StoreLocks::open(store));
  SOCK_TRY(locks.lock(LockKey::catalog(), sys::LockMode::exclusive));
  if (sys::status_at(store.top, std::string{format_file}).has_value()) return {};
  const std::string temporary = SOCK_TRY(sys::random_hex(8));
  const UniqueFd file =
      SOCK_TRY(sys::open_beneath(store.staging, temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
  SOCK_TRY(sys::write_all(file, std::string{format_word} + std::to_string(format_version) + "\n"));
  SOCK_TRY(sys::sync_file(file));
  SOCK_TRY(sys::rename(store.staging, temporary, store.top, std::string{format_file}));
  return sys::sync_file(store.top);
}

Result<UniqueFd> open_part(FdRef top, const std::string& name) {
  SOCK_TRY(sys::ensure_dir(top, name, 0700));
  return sys::open_beneath(top, name, O_RDONLY | O_DIRECTORY);
}

Result<StoreDirectory> open_store(const std::string& path) {
  SOCK_TRY(sys::ensure_dir(sys::cwd, path, 0700));
  StoreDirectory store{};
  store.path = SOCK_TRY(canonical(path));
  store.top = SOCK_TRY(sys::open_literally(sys::cwd, store.path, O_RDONLY | O_DIRECTORY));
  SOCK_TRY(check_owner(store.top, store.path));
  const auto format = sys::read_file(store.top, std::string{format_file}, 256);
  if (format.has_value())
    SOCK_TRY(check_format(*format, store.path));
  else if (format.error().code == Errc::not_found)
    SOCK_TRY(check_is_new(store.top, store.path));
  else
    return std::unexpected(format.error());
  store.layers = SOCK_TRY(open_part(store.top, "layers"));
  store.roots = SOCK_TRY(open_part(store.top, "roots"));
  store.documents = SOCK_TRY(open_part(store.top, "documents"));
  store.images = SOCK_TRY(open_part(store.top, "images"));
  store.names = SOCK_TRY(open_part(store.top, "names"));
  store.mounts = SOCK_TRY(open_part(store.top, "mounts"));
  store.prefetch = SOCK_TRY(open_part(store.top, "prefetch"));
  store.staging = SOCK_TRY(open_part(store.top, "staging"));
  if (!format.has_value()) SOCK_TRY(write_format(store));
  return store;
}

// Fifteen digits are sixty bits: what two objects would share by chance is only a lock.
std::uint64_t number_in(std::string_view hex) {
  std::uint64_t number = 0;
  const auto digits = hex.substr(0, 15);
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

}  // namespace

Result<StoreDirectory> StoreDirectory::open(const std::string& path) {
  return base::in_stage(image_stage, open_store(path));
}

LockKey LockKey::object(const store::Digest& digest) noexcept {
  return LockKey{1 + number_in(digest.hex())};
}

LockKey LockKey::staged(const std::string& name) noexcept {
  constexpr std::uint64_t beyond_objects = 1ULL << 61U;
  return LockKey{beyond_objects + number_in(name)};
}

Result<StoreLocks> StoreLocks::open(const StoreDirectory& store) {
  const std::string name{locks_file};
  auto file = sys::open_beneath(store.top, name, O_RDWR | O_CREAT, 0600);
  // A store on a read-only file system can be looked at: shared locks need no more.
  if (!file.has_value() && file.error().code == Errc::denied)
    file = sys::open_beneath(store.top, name, O_RDONLY);
  if (!file.has_value())
    return base::in_stage(image_stage, Result<StoreLocks>{std::unexpected(file.error())});
  return StoreLocks{std::move(*file)};
}

Result<> StoreLocks::lock(LockKey key, sys::LockMode mode) const {
  return base::in_stage(image_stage, sys::lock_byte(file_, key.offset(), mode));
}

Result<bool> StoreLocks::try_lock(LockKey key, sys::LockMode mode) const {
  return base::in_stage(image_stage, sys::try_lock_byte(file_, key.offset(), mode));
}

Result<> StoreLocks::unlock(LockKey key) const {
  return base::in_stage(image_stage, sys::unlock_byte(file_, key.offset()));
}

}  // namespace sock::image
