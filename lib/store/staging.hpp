#pragma once

// A directory of somebody's own, in which everything is written before it is published. Whoever is
// killed leaves one behind, with its lock free: anybody may remove it then.

#include <string>
#include <string_view>

#include "sock/fd.hpp"
#include "sock/result.hpp"

#include "store/store_directory.hpp"
#include "store/store_locks.hpp"

namespace sock::store {

/// Move-only; its destructor removes what has not been published.
class Staging {
 public:
  static Result<Staging> create(const StoreDirectory& store);
  Staging(Staging&&) noexcept = default;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  [[nodiscard]] FdRef directory() const noexcept { return directory_; }
  /// In the store's `staging`.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// A new directory in it.
  Result<UniqueFd> make_dir(const std::string& name) const;
  /// A new file in it, on the disk only after sync().
  Result<> write(const std::string& name, std::string_view text) const;
  /// The same, on the disk at its return.
  Result<> write_durably(const std::string& name, std::string_view text) const;
  /// Everything that was written is on the disk afterwards.
  Result<> sync() const;
  /// Moves a file or a directory to its place. Durable only after the place's own sync.
  Result<> publish(const std::string& name, FdRef place, const std::string& new_name) const;
  /// A whole small file, durable at its return.
  Result<> write_and_publish(FdRef place, const std::string& name, std::string_view text) const;

 private:
  [[nodiscard]] Result<UniqueFd> create_file(const std::string& name) const;
  Staging(FdRef staging, std::string name, StoreLocks locks, UniqueFd directory) noexcept
      : staging_{staging},
        name_{std::move(name)},
        locks_{std::move(locks)},
        directory_{std::move(directory)} {}
  FdRef staging_;
  std::string name_;
  StoreLocks locks_;
  UniqueFd directory_;
};

/// Removes what the dead have left; the number of them. What cannot be removed is an error, but
/// keeps nothing else from being removed.
Result<std::size_t> remove_dead_staging(const StoreDirectory& store);
/// The same before other work, which must not fail for what somebody else has left.
void tidy_staging(const StoreDirectory& store);

}  // namespace sock::store
