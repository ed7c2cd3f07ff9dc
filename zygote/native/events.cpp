// The channel's lines, and an answer to each.

#include "native/events.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "native/json_text.hpp"

namespace sock::zygote {
namespace {

constexpr int first_named = 3;

void put_error(TextBuffer& line, std::string_view type, std::string_view message) noexcept {
  line.clear();
  line.append("{\"error\": {\"type\": ");
  append_json_string(line, type);
  line.append(", \"message\": ");
  append_json_string(line, message);
  line.append(", \"trace\": []}}\n");
}

/// In JSON the end of a line can only be space between values.
void put_result(TextBuffer& line, std::string_view result) noexcept {
  line.append("{\"result\": ");
  char* const begin = line.reserve(result.size());
  line.append(result);
  std::replace(begin, begin + result.size(), '\n', ' ');
  line.append("}\n");
}

void put_failure(TextBuffer& line, int status, std::string_view message) noexcept {
  char number[48];
  std::snprintf(number, sizeof number, "handle() returned %d", status);
  put_error(line, "HandlerFailed", message.empty() ? number : message);
}

/// The number of the descriptor with this name, or -1.
int find_named(const char* name) noexcept {
  const char* const names = ::getenv("SOCK_FDS");
  std::string_view rest = names != nullptr ? names : "";
  for (int number = first_named; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (std::string_view{rest.data(), end} == name) return number;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return -1;
}

/// Lines that come over a descriptor, without their ends.
class Lines {
 public:
  explicit Lines(int source) noexcept : source_{source} {}

  enum class Outcome : std::uint8_t { line, too_long, end };
  /// The line has a NUL behind it and is valid until the next call.
  Outcome next(sock_text& line) noexcept {
    buffer_.drop_front(used_);
    used_ = 0;
    bool too_long = false;
    for (std::size_t seen = 0;;) {
      const std::size_t end = buffer_.view().find('\n', seen);
      if (end != std::string_view::npos) return take(end, end + 1, too_long, line);
      if (buffer_.size() > most_event_bytes) {
        too_long = true;
        buffer_.clear();
      }
      seen = buffer_.size();
      if (!read_more()) break;
    }
    if (buffer_.size() == 0 && !too_long) return Outcome::end;
    return take(buffer_.size(), buffer_.size(), too_long, line);
  }

 private:
  Outcome take(std::size_t size, std::size_t used, bool too_long, sock_text& line) noexcept {
    buffer_.reserve(1);
    buffer_.data()[size] = '\0';
    used_ = used;
    line = {.data = buffer_.data(), .size = size};
    return too_long || size > most_event_bytes ? Outcome::too_long : Outcome::line;
  }

  bool read_more() noexcept {
    constexpr std::size_t part = std::size_t{64} << 10U;
    ssize_t size = -1;
    do {
      size = ::read(source_, buffer_.reserve(part), part);
    } while (size < 0 && errno == EINTR);
    if (size > 0) buffer_.add(static_cast<std::size_t>(size));
    return size > 0;
  }

  int source_;
  TextBuffer buffer_;
  std::size_t used_ = 0;
};

bool write_all(int target, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t size = ::write(target, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

void answer_event(const sock_handler& handler, sock_text event, TextBuffer& line) noexcept {
  line.clear();
  if (!is_json({event.data, event.size})) return put_error(line, "InvalidEvent", "it is not JSON");
  sock_text given{.data = nullptr, .size = 0};
  const int status = handler.handle(event, &given);
  const std::string_view result =
      given.data != nullptr ? std::string_view{given.data, given.size} : std::string_view{};
  if (status != 0) return put_failure(line, status, result);
  if (result.size() > most_event_bytes)
    return put_error(line, "TooLong", "a result has at most 6 MiB");
  if (!is_json(result)) return put_error(line, "InvalidResult", "it is not JSON");
  put_result(line, result);
}

int serve_events(const sock_handler& handler) noexcept {
  const int channel = find_named("channel");
  if (channel < 0) {
    std::fputs("sock_handler: no descriptor is named \"channel\" in SOCK_FDS\n", stderr);
    return 1;
  }
  Lines lines{channel};
  TextBuffer answer;
  for (;;) {
    sock_text event{};
    switch (lines.next(event)) {
      case Lines::Outcome::end:
        return 0;
      case Lines::Outcome::too_long:
        put_error(answer, "TooLong", "an event has at most 6 MiB");
        break;
      case Lines::Outcome::line:
        answer_event(handler, event, answer);
        break;
    }
    std::fflush(stdout);
    if (!write_all(channel, answer.view())) return 1;
  }
}

}  // namespace sock::zygote
