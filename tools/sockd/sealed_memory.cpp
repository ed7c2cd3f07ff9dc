// memfd_create(2) and its seals.

#include "sealed_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;
using sock::Stage;

constexpr int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

}  // namespace

Result<sock::UniqueFd> seal(std::string_view content) {
  sock::UniqueFd file{::memfd_create("sockd", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!file) return sockctl::last_error("a file in memory");
  SOCKCTL_TRY(sockctl::write_all(file, content));
  if (::fcntl(file.get(), F_ADD_SEALS, seals) != 0) return sockctl::last_error("seals");
  return file;
}

Result<std::uint64_t> require_sealed(sock::FdRef file) {
  constexpr int needed = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
  struct stat status {};
  // Only files in memory know seals.
  const int found = ::fcntl(file.get(), F_GET_SEALS);
  if (found < 0 || (found & needed) != needed || ::fstat(file.get(), &status) != 0)
    return sockctl::refuse(Errc::invalid_spec, Stage::none, "the descriptor",
                           "it is no sealed file in memory");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::string> read_sealed(sock::FdRef file, std::size_t most) {
  const std::uint64_t size = SOCKCTL_TRY(require_sealed(file));
  if (size > most)
    return sockctl::refuse(Errc::exhausted, Stage::none, "the descriptor",
                           "at most " + std::to_string(most) + " bytes");
  std::string content(size, '\0');
  for (std::size_t at = 0; at < size;) {
    const auto got = ::pread(file.get(), content.data() + at, size - at, static_cast<off_t>(at));
    if (got <= 0) return sockctl::last_error("a file in memory");
    at += static_cast<std::size_t>(got);
  }
  return content;
}

Result<SealedView> SealedView::map(sock::FdRef file, std::uint64_t size) {
  if (size == 0) return SealedView{{}};
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (start == MAP_FAILED) return sockctl::last_error("a file in memory");
  return SealedView{{static_cast<const char*>(start), size}};
}

SealedView::~SealedView() {
  // What was mapped is nobody else's.
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

Result<sock::UniqueFd> another(sock::FdRef file) {
  sock::UniqueFd copy{::fcntl(file.get(), F_DUPFD_CLOEXEC, 0)};
  if (!copy) return sockctl::last_error("a file in memory");
  return copy;
}

}  // namespace sockd
