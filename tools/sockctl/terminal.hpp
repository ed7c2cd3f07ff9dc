#pragma once

// The caller's terminal: raw while a payload uses it, and as it was on every way out.

#include <optional>

#include "sock/spec.hpp"

#include "posix.hpp"

namespace sockctl {

bool is_terminal(sock::FdRef fd);
/// Empty when `fd` is no terminal.
std::optional<sock::Terminal> terminal_size(sock::FdRef fd);
void set_terminal_size(sock::FdRef master, sock::Terminal size);

/// Raw mode of a terminal for as long as the object lives. sockctl blocks the signals that could
/// end it without unwinding, so the destructor always runs (but for SIGKILL).
class RawMode {
 public:
  static Result<RawMode> enter(sock::FdRef terminal);
  RawMode(RawMode&& other) noexcept;
  RawMode& operator=(RawMode&&) = delete;
  ~RawMode();

 private:
  struct Saved;
  RawMode(sock::FdRef terminal, Saved* saved) noexcept : terminal_{terminal}, saved_{saved} {}
  sock::FdRef terminal_;
  Saved* saved_;  // owned; null when moved from
};

}  // namespace sockctl
