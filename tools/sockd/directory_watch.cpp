// By inotify(7).

#include "directory_watch.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include <sys/inotify.h>
#include <sys/stat.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "posix.hpp"

namespace sockd {
namespace {

namespace asio = boost::asio;

/// Each event of a buffer: look(event, name).
template <class Look>
void for_each_event(const char* at, const char* end, Look look) {
  while (end - at >= static_cast<std::ptrdiff_t>(sizeof(inotify_event))) {
    inotify_event event{};
    std::memcpy(&event, at, sizeof event);
    const char* const name = at + sizeof event;
    look(event, std::string{name, ::strnlen(name, event.len)});
    at = name + event.len;
  }
}

std::optional<FoundFile> look(const std::string& directory, const std::string& name) {
  struct stat status {};
  if (name.empty() || name.starts_with('.')) return {};
  if (::lstat((directory + "/" + name).c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    return {};
  return FoundFile{.name = name,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .changed = std::chrono::seconds{status.st_ctim.tv_sec} +
                              std::chrono::nanoseconds{status.st_ctim.tv_nsec}};
}

}  // namespace

std::vector<FoundFile> files_of(const std::string& directory) {
  std::vector<FoundFile> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{directory, ignored})
    if (auto file = look(directory, entry.path().filename())) found.push_back(std::move(*file));
  std::ranges::sort(found, {}, &FoundFile::changed);
  return found;
}

sock::Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::open(asio::io_context& loop,
                                                                   std::string path) {
  sock::UniqueFd notify{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!notify) return sockctl::last_error("inotify");
  constexpr std::uint32_t wanted = IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR;
  if (::inotify_add_watch(notify.get(), path.c_str(), wanted) < 0)
    return sockctl::last_error("directory " + path);
  return std::make_unique<DirectoryWatch>(loop, std::move(path), std::move(notify));
}

DirectoryWatch::DirectoryWatch(asio::io_context& loop, std::string path, sock::UniqueFd notify)
    : path_{std::move(path)}, notify_{loop, notify.release()} {}

asio::awaitable<std::optional<Arrivals>> DirectoryWatch::wait() {
  std::array<char, 16384> buffer;
  auto [failed, size] =
      co_await notify_.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
  if (failed) co_return std::nullopt;
  Arrivals arrivals{.files = {}, .missed = false};
  bool is_gone = false;
  for_each_event(buffer.data(), buffer.data() + size,
                 [&](const inotify_event& event, const std::string& name) {
                   is_gone = is_gone || (event.mask & (IN_IGNORED | IN_UNMOUNT)) != 0;
                   arrivals.missed = arrivals.missed || (event.mask & IN_Q_OVERFLOW) != 0;
                   if (auto file = look(path_, name)) arrivals.files.push_back(std::move(*file));
                 });
  std::ranges::sort(arrivals.files, {}, &FoundFile::changed);
  if (is_gone) co_return std::nullopt;
  co_return arrivals;
}

void DirectoryWatch::stop() {
  boost::system::error_code ignored;
  notify_.close(ignored);
}

}  // namespace sockd
