#pragma once

// A file that has no name until it is whole: whoever is killed before leaves nothing.

#include <string>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::store {

/// Move-only; its destructor forgets what was not published.
class NewFile {
 public:
  /// `path` is where it is to be; its directory is there. With mode 0600. On failure: Errc::exists.
  static Result<NewFile> create(const std::string& path);
  NewFile(NewFile&&) noexcept = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  [[nodiscard]] FdRef file() const noexcept { return file_; }
  /// Brings it to the disk and gives it its name, which nobody must have meanwhile (Errc::exists).
  Result<> publish() const;

 private:
  NewFile(UniqueFd directory, std::string name, std::string temporary, UniqueFd file) noexcept
      : directory_{std::move(directory)},
        name_{std::move(name)},
        temporary_{std::move(temporary)},
        file_{std::move(file)} {}
  UniqueFd directory_;
  std::string name_;
  std::string temporary_;  ///< Its name until then, on file systems that need one; else empty.
  UniqueFd file_;
};

}  // namespace sock::store
