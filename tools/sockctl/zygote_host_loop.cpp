// sockctl zygote host: the process behind zygotes, started by `zygote create` (zygote_client.cpp).
// One thread for each connection; this one accepts them and decides when it is over.

#include <algorithm>
#include <list>
#include <thread>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "background.hpp"
#include "json_values.hpp"
#include "report.hpp"
#include "zygote_client.hpp"
#include "zygote_host.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

constexpr std::size_t connections_max = 256;
/// For whoever started us to connect.
constexpr std::chrono::seconds first_client_time{5};

struct Connection {
  sock::UniqueFd socket;
  sock::UniqueFd ended;  ///< Readable when the thread is about to return.
  std::thread thread;
};

struct Ears {
  sock::UniqueFd dir;
  sock::UniqueFd signals;
  sock::UniqueFd listener;
};

pollfd readable(sock::FdRef fd) {
  return {.fd = fd.get(), .events = POLLIN, .revents = 0};
}

class Loop {
 public:
  Loop(ZygoteHost& host, Ears ears, Pipe stop)
      : host_{host}, ears_{std::move(ears)}, stop_{std::move(stop)} {}

  /// Until it is told to end, or holds nothing. `last` gets the connections that ended last.
  Result<> run(std::list<sock::UniqueFd>& last);

 private:
  [[nodiscard]] bool is_over() const;
  Result<> accept_client();
  void join_ended(const std::vector<pollfd>& polled, std::list<sock::UniqueFd>& ended);

  ZygoteHost& host_;
  Ears ears_;
  Pipe stop_;
  bool had_client_ = false;
  std::list<Connection> connections_ = {};
};

bool Loop::is_over() const {
  return had_client_ && connections_.empty() && host_.empty();
}

Result<> Loop::run(std::list<sock::UniqueFd>& last) {
  const auto first_deadline = std::chrono::steady_clock::now() + first_client_time;
  while (!is_over()) {
    last.clear();
    const bool room = connections_.size() < connections_max;
    std::vector<pollfd> fds{readable(ears_.signals),
                            readable(room ? ears_.listener.ref() : sock::FdRef{})};
    for (const auto& connection : connections_) fds.push_back(readable(connection.ended));
    const Deadline deadline = had_client_ ? Deadline{} : Deadline{first_deadline};
    if (SOCKCTL_TRY(wait_for(fds, deadline)) == 0) break;
    if (fds[0].revents != 0) break;
    join_ended(fds, last);
    if (fds[1].revents != 0) SOCKCTL_TRY(accept_client());
  }
  // Nobody new from here; the next `create` starts another process when this one has gone.
  SOCKCTL_TRY(remove_socket_at(ears_.dir, "control"));
  ears_.listener.reset();
  stop_.writer.reset();
  for (auto& connection : connections_) connection.thread.join();
  return {};
}

void Loop::join_ended(const std::vector<pollfd>& polled, std::list<sock::UniqueFd>& ended) {
  std::size_t slot = 2;
  for (auto it = connections_.begin(); it != connections_.end(); ++slot) {
    if (polled[slot].revents == 0) {
      ++it;
      continue;
    }
    it->thread.join();
    ended.push_back(std::move(it->socket));
    it = connections_.erase(it);
  }
}

Result<> Loop::accept_client() {
  auto socket = accept_own(ears_.listener);
  // The one who connected may be gone already.
  if (!socket.has_value() || !*socket) return {};
  had_client_ = true;
  auto ended = SOCKCTL_TRY(make_pipe());
  auto& connection = connections_.emplace_back(
      Connection{.socket = std::move(**socket), .ended = std::move(ended.reader), .thread = {}});
  connection.thread =
      std::thread{[this, writer = std::move(ended.writer), client = connection.socket.ref()] {
        ZygoteSession{host_, client, stop_.reader}.run();
      }};
  return {};
}

Result<> hold(const Globals& globals) {
  SOCKCTL_TRY(take_over_lock());
  // Whoever started us may have leaked descriptors.
  ::close_range(background_lock_fd + 1, ~0U, 0);
  const auto state = SOCKCTL_TRY(state_dir(globals));
  Ears ears;
  ears.dir = SOCKCTL_TRY(open_zygote_dir(state));
  ears.signals = SOCKCTL_TRY(ending_signals());
  auto settings = SOCKCTL_TRY(host_options(globals, state));
  constexpr std::size_t prepared_cgroups = 8;
  settings.cgroup.reserve = prepared_cgroups;
  // Closed after all else: a client that waits for the end of its connection knows then that
  // nothing is left.
  std::list<sock::UniqueFd> last;
  auto opened = SOCKCTL_TRY(sock::Host::open(settings));
  ZygoteHost host{std::move(opened)};
  // The one before us may have been killed. We have its lock, so it is dead.
  SOCKCTL_TRY(remove_socket_at(ears.dir, "control"));
  ears.listener = SOCKCTL_TRY(listen_at(ears.dir, "control"));
  auto stop = SOCKCTL_TRY(make_pipe());
  SOCKCTL_TRY(report_outcome({{"started", "zygotes"}}));
  return Loop{host, std::move(ears), std::move(stop)}.run(last);
}

}  // namespace

int zygote_host(const Globals& globals) {
  const auto done = hold(globals);
  if (done.has_value()) return 0;
  // Before the report, or to nobody.
  (void)report_outcome({{"error", to_json(done.error())}});
  return exit_status::own_error;
}

}  // namespace sockctl
