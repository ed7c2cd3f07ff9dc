// Opening what a root is made of.

#include "isolation/rootfs/source.hpp"

#include <fcntl.h>

#include "sys/file.hpp"

namespace sock::isolation {

Result<UniqueFd> open_source(const std::string& path, const std::string& what) {
  auto source = sys::open_literally(sys::cwd, path, O_PATH);
  if (source) return source;
  Error& error = source.error();
  error.stage = Stage::rootfs;
  error.subject = what + " " + path;
  if (error.code == Errc::invalid_spec)
    error.hint = "a symlink is in its path; give what realpath prints, if you trust who made it";
  return source;
}

}  // namespace sock::isolation
