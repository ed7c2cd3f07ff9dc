#pragma once

// A group's directory in one hierarchy, with control files that are opened when first used and then
// kept: a write by a kept descriptor costs an eighth of opening, writing and closing.

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "sock/fd.hpp"
#include "sock/result.hpp"

namespace sock::isolation {

/// How a control file is opened. The kernel refuses to open a read-only file for writing, even to
/// root.
enum class FileUse : int { read = O_RDONLY, write = O_WRONLY, both = O_RDWR };

/// Thread-safe. Errors carry the name of the file as their subject.
class Leaf {
 public:
  /// `parent` must outlive the leaf. Creates nothing.
  Leaf(FdRef parent, std::string name) noexcept : parent_{parent}, name_{std::move(name)} {}

  Result<> create();
  /// A missing one is success.
  Result<> remove();

  /// Valid for as long as the leaf lives. Use the same `use` for a file each time.
  Result<FdRef> keep(std::string_view file, FileUse use) const;
  Result<> write(std::string_view file, std::string_view value, FileUse use = FileUse::write) const;
  /// Not for lists of processes, which one read need not return whole.
  [[nodiscard]] Result<std::string> read(std::string_view file, FileUse use = FileUse::read) const;
  /// By a new descriptor, for files that must not be read through a kept one.
  [[nodiscard]] Result<std::string> read_afresh(std::string_view file) const;
  [[nodiscard]] Result<UniqueFd> open_directory(int flags) const;

 private:
  [[nodiscard]] std::string path(std::string_view file) const;
  template <class T>
  Result<T> about(std::string_view file, Result<T> result) const;

  FdRef parent_;
  std::string name_;
  mutable std::mutex mutex_;  // guards kept_
  mutable std::vector<std::pair<std::string, UniqueFd>> kept_;
};

}  // namespace sock::isolation
