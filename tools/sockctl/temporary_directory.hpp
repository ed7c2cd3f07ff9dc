#pragma once

// A directory for downloads, removed with the object.

#include <filesystem>
#include <string>
#include <utility>

#include "try.hpp"

namespace sockctl {

class TemporaryDirectory {
 public:
  /// Below TMPDIR, with mode 0700.
  static Result<TemporaryDirectory> create();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_{std::exchange(other.path_, {})} {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) noexcept : path_{std::move(path)} {}
  std::string path_;
};

}  // namespace sockctl
