// sock-janitor: waits for the end of one Host, however it ends, and removes what that Host left.
//
//   sock-janitor ID      3: reader of the Host's life-line   4: its state directory
//
// It must not be noticed otherwise: it puts itself into the background, keeps no other descriptor,
// directory or terminal of the program that started it, and survives the signals that end services
// and terminals, because the Host's own end is what it is here for. When the Host closed properly,
// it finds nothing and exits. It says nothing; the next Host reports what could not be removed.

#include <algorithm>
#include <chrono>

#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "state/instance.hpp"
#include "sys/process.hpp"

namespace {

using namespace std::chrono_literals;

constexpr sock::FdRef life_line{3};
constexpr sock::FdRef state_dir{4};
constexpr unsigned first_foreign = 5;

/// False in the process that the library waits for.
bool become_daemon() {
  ::close_range(first_foreign, ~0U, 0);
  // The program was given only what it needs, so the root is always there.
  if (::chdir("/") < 0) _exit(1);
  ::prctl(PR_SET_NAME, "sock-janitor");
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP})
    ::signal(number, SIG_IGN);
  const pid_t child = ::fork();
  if (child < 0) _exit(1);
  return child == 0;
}

/// The lock of a dying Host may be freed a little after its pipe, and a killed process may be stuck
/// in the kernel for a while: tried again, ever more slowly, for about a minute.
int clean_up(const std::string& id) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  for (auto pause = 5ms;; pause = std::min<std::chrono::milliseconds>(pause * 2, 1s)) {
    const auto removed = sock::state::remove_instance(state_dir, id);
    if (removed) return 0;
    if (removed.error().code == sock::Errc::corrupt || std::chrono::steady_clock::now() > deadline)
      return 1;
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (!become_daemon()) return 0;
  // Nothing is ever written to the pipe: readable means its end.
  if (!sock::sys::wait_readable(life_line, sock::sys::Deadline::max())) return 1;
  return clean_up(argv[1]);
}
