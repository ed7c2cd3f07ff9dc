// sockctl logs: what a detached container printed, from the files of its directory; with --follow
// until its end, which its monitor tells.

#include <array>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "log_writer.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

// More than a log may have (--log-max), with room for a rotation meanwhile.
constexpr std::size_t file_limit = std::size_t{1} << 31U;

// Reads a log that grows and is renamed. Whole lines only: the writer appends a line at a time.
class LogReader {
 public:
  explicit LogReader(const Entry& entry) : entry_{entry} {}

  Result<std::vector<std::string>> new_lines() {
    std::vector<std::string> lines;
    if (!file_) {
      SOCKCTL_TRY(read_older(lines));
      SOCKCTL_TRY(open_current());
    }
    SOCKCTL_TRY(read_from(file_, lines));
    // A rotation leaves our file with another name; what follows is in a new one.
    while (SOCKCTL_TRY(open_current())) SOCKCTL_TRY(read_from(file_, lines));
    return lines;
  }

 private:
  Result<> read_older(std::vector<std::string>& lines) {
    const auto older = open_at(entry_.dir, "log.1", O_RDONLY | O_NOFOLLOW);
    if (!older.has_value()) return {};
    return read_from(*older, lines);
  }
  // True when there is a file that was not open yet.
  Result<bool> open_current() {
    auto file = open_at(entry_.dir, "log", O_RDONLY | O_NOFOLLOW);
    if (!file.has_value()) return false;
    struct stat status {};
    if (::fstat(file->get(), &status) != 0) return last_error("log");
    // Ours is open, so its number cannot have been given to another file.
    if (file_ && status.st_ino == inode_) return false;
    file_ = std::move(*file);
    inode_ = status.st_ino;
    partial_.clear();
    return true;
  }
  Result<> read_from(sock::FdRef file, std::vector<std::string>& lines) {
    if (!file) return {};
    partial_ += SOCKCTL_TRY(read_all(file, file_limit));
    std::size_t begin = 0;
    for (auto end = partial_.find('\n'); end != std::string::npos;
         end = partial_.find('\n', begin)) {
      lines.push_back(partial_.substr(begin, end - begin));
      begin = end + 1;
    }
    partial_.erase(0, begin);
    return {};
  }

  const Entry& entry_;
  sock::UniqueFd file_;
  ino_t inode_ = 0;
  std::string partial_;
};

Result<> print_line(Format format, const std::string& line) {
  if (format != Format::table) return write_all(sock::FdRef{1}, line + "\n");
  LogEntry entry;
  if (!read_log_entry(line, entry)) return {};
  return write_all(sock::FdRef{entry.stream == "stderr" ? 2 : 1}, entry.data);
}

// The entries that make the last `count` lines of output: an entry without a newline is the
// beginning of the line that the next one goes on with.
std::size_t first_of_tail(const std::vector<std::string>& lines, long count) {
  if (count < 0) return 0;
  std::size_t first = lines.size();
  bool counted_last = false;
  LogEntry entry;
  while (first > 0) {
    const bool ends_line = read_log_entry(lines[first - 1], entry) && entry.data.ends_with('\n');
    if (ends_line || !counted_last) {
      if (count == 0) break;
      --count;
      counted_last = true;
    }
    --first;
  }
  return first;
}

Result<> follow(Format format, const Entry& entry, LogReader& reader) {
  const auto socket = SOCKCTL_TRY(connect_to(entry));
  SOCKCTL_TRY(send_message(socket, {{"verb", "wait"}}));
  const sock::UniqueFd events{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  const std::string path = "/proc/self/fd/" + std::to_string(entry.dir.get());
  if (!events || ::inotify_add_watch(events.get(), path.c_str(), IN_MODIFY | IN_CREATE) < 0)
    return last_error("inotify");
  bool ended = false;
  while (!ended) {
    // What was written before the watch counts too: read first, then wait.
    for (const auto& line : SOCKCTL_TRY(reader.new_lines())) SOCKCTL_TRY(print_line(format, line));
    // Asking nothing of stdout still reports POLLERR when whoever read it has gone.
    std::array<pollfd, 3> fds{pollfd{.fd = socket.get(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = events.get(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = 1, .events = 0, .revents = 0}};
    SOCKCTL_TRY(wait_for(fds, {}));
    if (fds[2].revents != 0) return {};
    ended = fds[0].revents != 0;
    std::array<char, 4096> ignored{};
    if (fds[1].revents != 0) (void)read_some(events, ignored);
  }
  for (const auto& line : SOCKCTL_TRY(reader.new_lines())) SOCKCTL_TRY(print_line(format, line));
  return {};
}

Result<> show(const Globals& globals, const LogsOptions& options) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto entry = SOCKCTL_TRY(open_entry(state, options.name));
  LogReader reader{entry};
  const auto lines = SOCKCTL_TRY(reader.new_lines());
  for (auto i = first_of_tail(lines, options.tail); i < lines.size(); ++i)
    SOCKCTL_TRY(print_line(format, lines[i]));
  if (options.follow && SOCKCTL_TRY(is_alive(entry))) return follow(format, entry, reader);
  return {};
}

}  // namespace

int logs(const Globals& globals, const LogsOptions& options) {
  const auto done = show(globals, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
