// sock-init: pid 1 of a container. It reaps, passes signals on, enforces the time limit, and ends
// with its payload or with the host's life-line; the kernel then kills whatever else is left in the
// pid namespace.
//
// Invariants: no memory but one stack page, no C library, no open file but life-line, report and
// its signalfd. It runs under the payload's uid without any capability (the filter is the payload's
// alone), cannot be traced or read, and holds no secret. The payload may already have ended, and
// signals may already be pending, when it starts; neither is missed.

#include "init/kernel.hpp"
#include "init/protocol.hpp"
#include "sys/program_entry.hpp"

namespace sock::init {
namespace {

constexpr int bad_start = 125;          // Never started to supervise, or lost its payload.
constexpr int cut_off = 128 + sigkill;  // The life-line is gone; nobody reads this.
constexpr std::int64_t never = INT64_MAX;
// A killed payload that is stuck in the kernel is not waited for longer than this.
constexpr std::int64_t kill_patience_ns = 1'000'000'000;

struct Arguments {
  int life_line;
  int report;
  int payload;
  std::int64_t limit_ms;
  bool keeps;
};

/// A decimal number of at most `limit`, or -1.
std::int64_t parse(const char* text, std::int64_t limit) {
  std::int64_t value = 0;
  if (*text == '\0') return -1;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9') return -1;
    value = value * 10 + (*text - '0');
    if (value > limit) return -1;
  }
  return value;
}

Arguments parse_or_exit(long argc, const char* const* argv) {
  constexpr std::int64_t most_ms = never / 2'000'000;  // Room for the addition of now.
  if (argc != 6) exit(bad_start);
  const Arguments arguments{.life_line = static_cast<int>(parse(argv[1], INT32_MAX)),
                            .report = static_cast<int>(parse(argv[2], INT32_MAX)),
                            .payload = static_cast<int>(parse(argv[3], INT32_MAX)),
                            .limit_ms = parse(argv[4], most_ms),
                            .keeps = parse(argv[5], 1) == 1};
  if (arguments.life_line < 0 || arguments.report < 0 || arguments.payload < 2 ||
      arguments.limit_ms < 0 || arguments.life_line == arguments.report)
    exit(bad_start);
  return arguments;
}

/// Closes all but the two, the payload's stdio too: a reader of it must see the end when the
/// payload ends. What is opened later may be 0, 1 or 2, which nothing here reads or writes by
/// number.
void close_all_but(int life_line, int report) {
  const int low = life_line < report ? life_line : report;
  const int high = life_line < report ? report : life_line;
  close_between(0, low - 1);
  close_between(low + 1, high - 1);
  close_between(std::int64_t{high} + 1, UINT32_MAX);
}

class Supervisor {
 public:
  Supervisor(const Arguments& arguments, int signals) noexcept
      : life_line_{arguments.life_line},
        report_{arguments.report},
        payload_{arguments.payload},
        signals_{signals},
        keeps_{arguments.keeps},
        deadline_{arguments.limit_ms == 0 ? never
                                          : monotonic_ns() + arguments.limit_ms * 1'000'000} {}

  // The order matters: a payload that ended by itself just before its limit was not killed. Each
  // round does a bounded amount of work, so that nothing inside can keep init from the life-line.
  [[noreturn]] void run() noexcept {
    for (;;) {
      const bool more = reap_some();
      if (deadline_ != never && monotonic_ns() >= deadline_) time_is_up();
      wait(more);
      pass_signals_on();
    }
  }

 private:
  /// True when there may be more to reap.
  bool reap_some() noexcept {
    for (int round = 0; round < 64; ++round) {
      std::int32_t status = 0;
      const int pid = reap_any(status);
      if (pid == 0) return false;
      if (pid < 0 && keeps_) return false;  // No children at the moment.
      if (pid < 0) exit(bad_start);         // No children: the payload never was one.
      if (pid == payload_ && !keeps_) end(status);
      if (pid == payload_) payload_ = nobody;
    }
    return true;
  }

  [[noreturn]] void end(std::int32_t status) noexcept {
    const int signal = status & 0x7f;
    const Report report{.magic = report_magic,
                        .wait_status = status,
                        .timed_out = killed_ && signal == sigkill ? 1U : 0U};
    sys::raw::call(__NR_write, report_, &report, sizeof report);
    exit(signal != 0 ? 128 + signal : (status >> 8) & 0xff);
  }

  void time_is_up() noexcept {
    if (killed_) end(sigkill);
    send(-1, sigkill);
    killed_ = true;
    deadline_ = monotonic_ns() + kill_patience_ns;
  }

  void wait(bool only_look) noexcept {
    pollfd files[2] = {{.fd = signals_, .events = POLLIN, .revents = 0},
                       {.fd = life_line_, .events = 0, .revents = 0}};
    std::int64_t left = 0;
    if (!only_look && deadline_ != never) left = deadline_ - monotonic_ns();
    if (left < 0) left = 0;
    // Not const: the kernel writes back what is left.
    __kernel_timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    const bool for_ever = !only_look && deadline_ == never;
    sys::raw::call(__NR_ppoll, files, 2, for_ever ? nullptr : &timeout, nullptr, 0);
    if (files[1].revents != 0) exit(cut_off);
  }

  /// Only what was sent from outside (the kernel shows such a sender as pid 0) reaches the payload,
  /// and only the payload, not its group: a process inside can signal its neighbours by itself, and
  /// what the kernel or a terminal sends (a positive code) is not for pid 1 to repeat.
  void pass_signals_on() noexcept {
    signalfd_siginfo received[4];
    const long size = sys::raw::call(__NR_read, signals_, received, sizeof received);
    for (long at = 0; at < size / static_cast<long>(sizeof *received); ++at)
      if (payload_ != nobody && received[at].ssi_pid == 0 && received[at].ssi_code <= 0)
        send(payload_, static_cast<int>(received[at].ssi_signo));
  }

  static constexpr int nobody = -1;

  int life_line_;
  int report_;
  int payload_;  ///< nobody: it has ended, and its number may be another's.
  int signals_;
  bool keeps_;
  std::int64_t deadline_;
  bool killed_ = false;
};

}  // namespace

/// `stack` is what the kernel leaves for a new program: argc, then argv.
extern "C" [[noreturn]] void sock_init_main(const long* stack) noexcept {
  become_undumpable("sock-init");
  const Arguments arguments =
      parse_or_exit(stack[0], reinterpret_cast<const char* const*>(stack + 1));
  block_every_signal();
  default_action(sigchld);
  close_all_but(arguments.life_line, arguments.report);
  const int signals = open_signals();
  if (signals < 0) exit(bad_start);
  Supervisor{arguments, signals}.run();
}

}  // namespace sock::init

SOCK_PROGRAM_ENTRY("sock_init_main")
