// memfd_create(2) and its seals.

#include "sealed_memory.hpp"

#include <csignal>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "posix.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;
using sock::Stage;

constexpr const char* in_memory = "a file in memory";
constexpr int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

}  // namespace

Result<sock::UniqueFd> open_memory() {
  sock::UniqueFd file{::memfd_create("sockd", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!file) return sockctl::last_error(in_memory);
  return file;
}

Result<> seal_memory(sock::FdRef file) {
  if (::fcntl(file.get(), F_ADD_SEALS, seals) != 0) return sockctl::last_error("seals");
  return {};
}

Result<sock::UniqueFd> seal(std::string_view content) {
  auto file = SOCKCTL_TRY(open_memory());
  SOCKCTL_TRY(sockctl::write_all(file, content));
  SOCKCTL_TRY(seal_memory(file));
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

Result<> read_sealed_at(sock::FdRef file, std::uint64_t from, std::span<char> into) {
  while (!into.empty()) {
    const auto got = ::pread(file.get(), into.data(), into.size(), static_cast<off_t>(from));
    if (got <= 0) return sockctl::last_error(in_memory);
    from += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<std::string> read_sealed(sock::FdRef file, std::size_t most) {
  const std::uint64_t size = SOCKCTL_TRY(require_sealed(file));
  if (size > most)
    return sockctl::refuse(Errc::exhausted, Stage::none, "the descriptor",
                           "at most " + std::to_string(most) + " bytes");
  std::string content(size, '\0');
  SOCKCTL_TRY(read_sealed_at(file, 0, content));
  return content;
}

// Without waiting: whoever has made the file may have a lease on it, which it does not give back.
Result<sock::UniqueFd> open_again(sock::FdRef file) {
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  sock::UniqueFd opened{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!opened) return sockctl::last_error(in_memory);
  return opened;
}

// KERNEL: since Linux 5.3 a lease for writing is refused while anybody else has opened the file,
// and who maps a file has it open. Who opens it in the moment of the lease makes the kernel send us
// a signal, which would be SIGIO, and the end of us.
bool is_nobody_elses(sock::FdRef opened_again) {
  constexpr int ignored_unless_handled = SIGURG;
  if (::fcntl(opened_again.get(), F_SETSIG, ignored_unless_handled) != 0) return false;
  if (::fcntl(opened_again.get(), F_SETLEASE, F_WRLCK) != 0) return false;
  ::fcntl(opened_again.get(), F_SETLEASE, F_UNLCK);
  return true;
}

}  // namespace sockd
