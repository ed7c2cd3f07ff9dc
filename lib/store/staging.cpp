// Directories of those at work.

#include "store/staging.hpp"

#include <fcntl.h>

#include "base/try.hpp"
#include "store/stage.hpp"
#include "store/tree_removal.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::store {

Result<Staging> Staging::create(const StoreDirectory& store) {
  std::string name = SOCK_TRY(base::in_stage(store_stage, sys::random_hex(8)));
  StoreLocks locks = SOCK_TRY(StoreLocks::open(store));
  // Locked before it is there: nobody can take it for a dead one's.
  SOCK_TRY(locks.lock(LockKey::staged(name), sys::LockMode::exclusive));
  SOCK_TRY(base::in_stage(store_stage, sys::make_dir(store.staging, name, 0700)));
  auto directory = sys::open_beneath(store.staging, name, O_RDONLY | O_DIRECTORY);
  if (!directory.has_value()) return std::unexpected(std::move(directory).error());
  return Staging{store.staging, std::move(name), std::move(locks), std::move(*directory)};
}

Staging::~Staging() {
  // What cannot be removed now, gc() will find.
  if (directory_) static_cast<void>(remove_tree(staging_, name_));
}

Result<UniqueFd> Staging::make_dir(const std::string& name) const {
  SOCK_TRY(base::in_stage(store_stage, sys::make_dir(directory_, name, 0700)));
  return base::in_stage(store_stage, sys::open_beneath(directory_, name, O_RDONLY | O_DIRECTORY));
}

Result<> Staging::write(const std::string& name, std::string_view text) const {
  const UniqueFd file = SOCK_TRY(create_file(name));
  return base::in_stage(store_stage, sys::write_all(file, text));
}

Result<> Staging::write_durably(const std::string& name, std::string_view text) const {
  const UniqueFd file = SOCK_TRY(create_file(name));
  SOCK_TRY(base::in_stage(store_stage, sys::write_all(file, text)));
  return base::in_stage(store_stage, sys::sync_file(file));
}

Result<UniqueFd> Staging::create_file(const std::string& name) const {
  return base::in_stage(store_stage,
                        sys::open_beneath(directory_, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

Result<> Staging::sync() const {
  return base::in_stage(store_stage, sys::sync_filesystem(directory_));
}

Result<> Staging::publish(const std::string& name, FdRef place, const std::string& new_name) const {
  return base::in_stage(store_stage, sys::rename(directory_, name, place, new_name));
}

Result<> Staging::write_and_publish(FdRef place, const std::string& name,
                                    std::string_view text) const {
  const std::string temporary = "document";
  SOCK_TRY(write_durably(temporary, text));
  SOCK_TRY(publish(temporary, place, name));
  return base::in_stage(store_stage, sys::sync_file(place));
}

Result<std::size_t> remove_dead_staging(const StoreDirectory& store) {
  std::size_t removed = 0;
  Result<> failed{};
  const StoreLocks locks = SOCK_TRY(StoreLocks::open(store));
  for (const auto& name : SOCK_TRY(base::in_stage(store_stage, sys::list_dir(store.staging)))) {
    const auto key = LockKey::staged(name);
    if (!SOCK_TRY(locks.try_lock(key, sys::LockMode::exclusive))) continue;
    auto gone = base::in_stage(store_stage, remove_tree(store.staging, name));
    SOCK_TRY(locks.unlock(key));
    if (gone.has_value())
      ++removed;
    else
      failed = std::move(gone);
  }
  SOCK_TRY(std::move(failed));
  return removed;
}

void tidy_staging(const StoreDirectory& store) {
  static_cast<void>(remove_dead_staging(store).has_value());
}

}  // namespace sock::store
