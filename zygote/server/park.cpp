// Telling the Host how to go on, and going on.

#include "server/park.hpp"

#include <cerrno>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/channel.hpp"
#include "server/kernel_state.hpp"
#include "wire/message.hpp"
#include "wire/process_image.hpp"

namespace sock::zygote {
namespace {

using wire::image::Resumption;

// In memory, like everything else that comes back.
std::jmp_buf context;
alignas(64) char resumption_stack[std::size_t{16} << 10U];
int resumed_channel = -1;

/// Where a restored process starts, on a stack of its own: the one that it will return to is not to
/// be written to yet.
[[noreturn]] void resume(int channel, std::uint64_t restorer,
                         std::uint64_t restorer_size) noexcept {
  const char* const failed = restore_kernel_state(restorer, restorer_size);
  resumed_channel = channel;
  if (failed != nullptr) {
    const int sys_errno = errno;
    // KERNEL: an end with something unread takes away from the other end what it was sent last.
    char byte = 0;
    static_cast<void>(::recv(channel, &byte, sizeof byte, MSG_DONTWAIT));
    say_failed(channel, failed, sys_errno);
    resumed_channel = -1;
  }
  std::longjmp(context, 1);
}

void close_all_but(int channel) noexcept {
  constexpr unsigned first = 3;
  const auto kept = static_cast<unsigned>(channel);
  if (kept > first) ::syscall(SYS_close_range, first, kept - 1, 0);
  ::syscall(SYS_close_range, kept + 1, ~0U, 0);
}

/// "BEGIN-END MODE OFFSET DEVICE INODE   PATH" becomes "DEVICE INODE PATH"; nullptr: no file.
const char* named_file(char* line) noexcept {
  line[std::strcspn(line, "\n")] = '\0';
  char* const path = std::strchr(line, '/');
  if (path == nullptr) return nullptr;
  char* device = line;
  for (int blank = 0; blank < 3; ++blank) {
    device = std::strchr(device, ' ');
    if (device == nullptr) return nullptr;
    ++device;
  }
  char* const inode_end = std::strchr(std::strchr(device, ' ') + 1, ' ');
  if (inode_end == nullptr || inode_end > path) return nullptr;
  std::memmove(inode_end + 1, path, std::strlen(path) + 1);
  return device;
}

/// Only this process knows what its files are called in its root. False: more than a message holds.
bool list_files(char* memory, std::size_t capacity, std::size_t& size) noexcept {
  std::FILE* const maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return false;
  constexpr std::size_t longest_line = 4096 + 256;  // A path and what is before it.
  char line[longest_line];
  char last[sizeof line] = "";
  bool fits = true;
  while (fits && std::fgets(line, sizeof line, maps) != nullptr) {
    const char* const file = named_file(line);
    if (file == nullptr || std::strcmp(file, last) == 0) continue;
    std::strcpy(last, file);
    const std::size_t length = std::strlen(file) + 1;
    fits = length <= capacity - size;
    if (fits) std::memcpy(memory + size, file, length);
    size += length;
  }
  std::fclose(maps);
  return fits;
}

/// What is said when the process stands still, without allocating any more: the heap's end has been
/// noted then.
class Announcement {
 public:
  bool prepare() noexcept {
    size_ = 0;
    return list_files(files_, sizeof files_, size_);
  }
  bool send_on(int channel) const noexcept {
    wire::Writer writer{message_, wire::Kind::parked};
    const Resumption resumption{
        .entry = reinterpret_cast<std::uint64_t>(&resume),
        .stack = reinterpret_cast<std::uint64_t>(resumption_stack + sizeof resumption_stack),
        .thread_pointer = reinterpret_cast<std::uint64_t>(__builtin_thread_pointer())};
    writer.put_value(wire::Field::resumption, resumption);
    writer.put(wire::Field::files, files_, size_);
    return send(channel, writer.message());
  }

 private:
  // Of the program, not of the stack: it is large.
  static char files_[wire::most_bytes - 256];
  static std::byte message_[wire::most_bytes];
  std::size_t size_ = 0;
};
char Announcement::files_[wire::most_bytes - 256];
std::byte Announcement::message_[wire::most_bytes];

[[noreturn]] void await_end(int channel) noexcept {
  char byte = 0;
  while (::recv(channel, &byte, sizeof byte, 0) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

}  // namespace

[[gnu::noinline]] int park(int channel) noexcept {
  close_all_but(channel);
  Announcement announcement;
  if (!announcement.prepare()) {
    say_failed(channel, "parking: too many files are mapped", 0);
    ::_exit(0);
  }
  if (!note_kernel_state()) {
    say_failed(channel, "parking: the kernel does not tell all that is needed", errno);
    ::_exit(0);
  }
  if (setjmp(context) != 0) return resumed_channel;
  if (!announcement.send_on(channel)) ::_exit(0);
  await_end(channel);
}

}  // namespace sock::zygote
