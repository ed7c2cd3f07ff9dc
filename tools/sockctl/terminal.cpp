// The caller's terminal.

#include "terminal.hpp"

#include <utility>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace sockctl {

struct RawMode::Saved {
  termios settings;
};

bool is_terminal(sock::FdRef fd) {
  return ::isatty(fd.get()) == 1;
}

std::optional<sock::Terminal> terminal_size(sock::FdRef fd) {
  winsize size{};
  if (::ioctl(fd.get(), TIOCGWINSZ, &size) != 0) return {};
  if (size.ws_row == 0 || size.ws_col == 0) return sock::Terminal{};
  return sock::Terminal{.rows = size.ws_row, .columns = size.ws_col};
}

void set_terminal_size(sock::FdRef master, sock::Terminal size) {
  winsize wanted{};
  wanted.ws_row = size.rows;
  wanted.ws_col = size.columns;
  // A terminal that has just been closed has no size to set.
  (void)::ioctl(master.get(), TIOCSWINSZ, &wanted);
}

Result<RawMode> RawMode::enter(sock::FdRef terminal) {
  Saved saved{};
  if (::tcgetattr(terminal.get(), &saved.settings) != 0) return last_error("terminal");
  termios raw = saved.settings;
  ::cfmakeraw(&raw);
  if (::tcsetattr(terminal.get(), TCSADRAIN, &raw) != 0) return last_error("terminal");
  return RawMode{terminal, new Saved{saved}};
}

RawMode::RawMode(RawMode&& other) noexcept
    : terminal_{other.terminal_}, saved_{std::exchange(other.saved_, nullptr)} {}

RawMode::~RawMode() {
  if (saved_ == nullptr) return;
  ::tcsetattr(terminal_.get(), TCSADRAIN, &saved_->settings);
  delete saved_;
}

}  // namespace sockctl
