// A group's directory in one hierarchy.

#include "isolation/cgroup/leaf.hpp"

#include "base/try.hpp"
#include "sys/file.hpp"
#include "sys/kernfs.hpp"

namespace sock::isolation {

template <class T>
Result<T> Leaf::about(std::string_view file, Result<T> result) const {
  if (!result) result.error().subject = path(file);
  return result;
}

std::string Leaf::path(std::string_view file) const {
  std::string path = name_;
  return path.append("/").append(file);
}

Result<> Leaf::create() {
  return sys::make_dir(parent_, name_, 0755);
}

Result<> Leaf::remove() {
  return sys::remove_dir(parent_, name_);
}

Result<FdRef> Leaf::keep(std::string_view file, FileUse use) const {
  const std::scoped_lock lock{mutex_};
  for (const auto& [name, fd] : kept_)
    if (name == file) return fd.ref();
  UniqueFd opened = SOCK_TRY(sys::open(parent_, path(file), std::to_underlying(use)));
  return kept_.emplace_back(file, std::move(opened)).second.ref();
}

Result<> Leaf::write(std::string_view file, std::string_view value, FileUse use) const {
  const FdRef kept = SOCK_TRY(keep(file, use));
  return about(file, sys::rewrite(kept, value));
}

Result<std::string> Leaf::read(std::string_view file, FileUse use) const {
  const FdRef kept = SOCK_TRY(keep(file, use));
  return about(file, sys::read_record(kept));
}

Result<std::string> Leaf::read_afresh(std::string_view file) const {
  return sys::read_file(parent_, path(file));
}

Result<UniqueFd> Leaf::open_directory(int flags) const {
  return sys::open(parent_, name_, flags | O_DIRECTORY);
}

}  // namespace sock::isolation
