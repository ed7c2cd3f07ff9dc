#pragma once

// Functions on disk: NAME/VERSION/ with the code, NAME/current with the number of the version that
// serves. A version is whole or not there; `current` changes by rename. One process at a time.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "sock/fd.hpp"

#include "function_spec.hpp"

namespace sockd {

struct StoredFunction {
  std::string name;
  std::uint64_t version;
  FunctionSpec spec;
  std::string code;  ///< Its directory.
  std::chrono::system_clock::time_point updated;
};

/// Thread-bound: to whatever thread registers functions.
class FunctionStore {
 public:
  /// Makes the directory where it is missing, and removes what a crash has left: versions that were
  /// not finished, and those that are not current.
  static Result<FunctionStore> open(std::string directory);

  /// Unpacks a tar or zip file as the next version, which serves nobody yet. On failure:
  /// Errc::invalid_spec for a name, an archive or a function.toml that cannot be; nothing is left
  /// of it then. At the return all of it is on the disk. Blocking: as long as that takes.
  Result<StoredFunction> add(const std::string& name, sock::FdRef archive);
  Result<> make_current(const StoredFunction& function);
  /// On failure: Errc::not_found; Errc::corrupt or Errc::invalid_spec for what somebody has edited.
  [[nodiscard]] Result<StoredFunction> find(const std::string& name) const;
  /// Of all that is there, whether it can be read or not; sorted.
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  /// The files of a version stay until forget().
  Result<> remove(const std::string& name);
  /// Removes the files of a version that serves nobody any more. Not of the current one: where it
  /// could not be told whether that was written down, it may be.
  void forget(const std::string& name, std::uint64_t version) const;

 private:
  explicit FunctionStore(std::string directory) : directory_{std::move(directory)} {}
  std::string directory_;
};

}  // namespace sockd
