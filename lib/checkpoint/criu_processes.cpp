// The fields that are told.

#include "checkpoint/criu_processes.hpp"

#include <array>
#include <climits>

#include "base/try.hpp"
#include "checkpoint/criu_image_bytes.hpp"
#include "checkpoint/told_bounds.hpp"
#include "criu_images.pb-c.h"

namespace sock::checkpoint {
namespace {

// By fd_types of CRIU's fdinfo.proto.
constexpr std::array<std::string_view, 21> kinds{
    "unknown",  "file",           "pipe",      "fifo",     "inet socket",   "unix socket",
    "eventfd",  "epoll",          "inotify",   "signalfd", "packet socket", "terminal",
    "fanotify", "netlink socket", "namespace", "tun",      "external",      "timerfd",
    "memfd",    "bpf map",        "pidfd"};

std::string kind_of(std::int32_t type) {
  const auto number = static_cast<std::size_t>(type);
  return std::string{type >= 0 && number < kinds.size() ? kinds[number] : kinds[0]};
}

/// The only message of an image.
template <class Unpack>
auto unpack_only(Unpack unpack, std::string_view bytes, const std::string& what)
    -> decltype(unpack_message(unpack, bytes, what)) {
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  if (image.messages.empty()) return corrupt_image(what, "it has no message");
  return unpack_message(unpack, image.messages.front(), what);
}

CriuOpenFile told_of(const Criu__OpenFile& file) {
  CriuOpenFile told{.kind = kind_of(file.type)};
  if (file.reg != nullptr) {
    told.name = file.reg->name;
    told.is_external = file.reg->has_ext != 0 && file.reg->ext != 0;
  }
  // Of an abstract name the first byte is 0; shown as the kernel does in /proc/net/unix.
  if (file.usk != nullptr && file.usk->name.len > 0) {
    told.name.assign(reinterpret_cast<const char*>(file.usk->name.data), file.usk->name.len);
    if (told.name.front() == '\0') told.name.front() = '@';
    while (told.name.ends_with('\0')) told.name.pop_back();
  }
  if (file.pipe != nullptr) told.name = "pipe:[" + std::to_string(file.pipe->pipe_id) + "]";
  if (file.memfd != nullptr) told.name = file.memfd->name;
  // Each of its mappings gets a copy.
  if (told.name.size() > PATH_MAX) told.name.resize(PATH_MAX);
  return told;
}

}  // namespace

Result<std::vector<CriuProcess>> parse_processes(std::string_view bytes, const std::string& what) {
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  std::vector<CriuProcess> processes;
  for (const auto each : image.messages) {
    const auto message = SOCK_TRY(unpack_message(criu__process__unpack, each, what));
    processes.push_back({.pid = static_cast<pid_t>(message->pid),
                         .parent = static_cast<pid_t>(message->ppid),
                         .threads = message->n_threads});
  }
  return processes;
}

Result<std::string> parse_process_name(std::string_view bytes, const std::string& what) {
  const auto core = SOCK_TRY(unpack_only(criu__core__unpack, bytes, what));
  return std::string{core->tc != nullptr ? core->tc->comm : ""};
}

Result<std::uint32_t> parse_descriptor_table(std::string_view bytes, const std::string& what) {
  const auto shared = SOCK_TRY(unpack_only(criu__shared__unpack, bytes, what));
  return shared->files_id;
}

Result<std::vector<CriuDescriptor>> parse_descriptors(std::string_view bytes,
                                                      const std::string& what) {
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  std::vector<CriuDescriptor> descriptors;
  for (const auto each : image.messages) {
    const auto message = SOCK_TRY(unpack_message(criu__descriptor__unpack, each, what));
    descriptors.push_back({.number = static_cast<int>(message->fd), .file = message->id});
  }
  return descriptors;
}

Result<std::map<std::uint64_t, CriuOpenFile>> parse_open_files(std::string_view bytes,
                                                               const std::string& what) {
  const CriuImage image = SOCK_TRY(split_image(bytes, what));
  std::map<std::uint64_t, CriuOpenFile> files;
  std::map<std::uint64_t, std::uint64_t> fifos;  // And the files that they are opened by.
  for (const auto each : image.messages) {
    const auto message = SOCK_TRY(unpack_message(criu__open_file__unpack, each, what));
    files.try_emplace(message->id, told_of(*message));
    if (message->fifo != nullptr && message->fifo->has_regf_id != 0)
      fifos.emplace(message->id, message->fifo->regf_id);
  }
  std::size_t copied = 0;
  for (const auto& [number, by] : fifos) {
    const auto file = files.find(by);
    if (file == files.end()) continue;
    // All of them may name the same file.
    copied += file->second.name.size();
    if (copied > ToldBounds::most_name_bytes)
      return corrupt_image(what, "the names of its pipes are too long to be told");
    files.at(number).name = file->second.name;
  }
  return files;
}

}  // namespace sock::checkpoint
