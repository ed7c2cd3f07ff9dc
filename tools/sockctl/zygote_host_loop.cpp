// One thread for each connection; the caller's accepts them and decides when it is over.

#include "zygote_host_loop.hpp"

#include <system_error>
#include <thread>

#include "zygote_host.hpp"

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

pollfd readable(sock::FdRef fd) {
  return {.fd = fd.get(), .events = POLLIN, .revents = 0};
}

class Loop {
 public:
  Loop(ZygoteHost& host, ZygoteEars ears, Stay stay, Pipe stop)
      : host_{host}, ears_{std::move(ears)}, stay_{stay}, stop_{std::move(stop)} {}

  /// Until it is told to end, or holds nothing. `last` gets the connections that ended last.
  Result<> run(std::list<sock::UniqueFd>& last);

 private:
  [[nodiscard]] bool is_over() const;
  Result<> attend(std::list<sock::UniqueFd>& last);
  void accept_client();
  Result<> begin(sock::UniqueFd socket);
  /// For what may be otherwise in a moment: descriptors and threads.
  void pause();
  void join_ended(const std::vector<pollfd>& polled, std::list<sock::UniqueFd>& ended);

  ZygoteHost& host_;
  ZygoteEars ears_;
  Stay stay_;
  Pipe stop_;
  bool had_client_ = false;
  std::list<Connection> connections_ = {};
};

bool Loop::is_over() const {
  return stay_ == Stay::while_used && had_client_ && connections_.empty() && host_.empty();
}

Result<> Loop::run(std::list<sock::UniqueFd>& last) {
  const auto attended = attend(last);
  // Nobody new from here; the next `create` starts another process when this one has gone.
  const auto removed = remove_socket_at(ears_.dir, "control");
  ears_.listener.reset();
  stop_.writer.reset();
  for (auto& connection : connections_) connection.thread.join();
  return attended.has_value() ? removed : attended;
}

Result<> Loop::attend(std::list<sock::UniqueFd>& last) {
  const Deadline first_client =
      stay_ == Stay::while_used ? std::chrono::steady_clock::now() + first_client_time : Deadline{};
  while (!is_over()) {
    last.clear();
    const bool room = connections_.size() < connections_max;
    std::vector<pollfd> fds{readable(ears_.end),
                            readable(room ? ears_.listener.ref() : sock::FdRef{})};
    for (const auto& connection : connections_) fds.push_back(readable(connection.ended));
    if (SOCKCTL_TRY(wait_for(fds, had_client_ ? Deadline{} : first_client)) == 0) break;
    if (fds[0].revents != 0) break;
    join_ended(fds, last);
    if (fds[1].revents != 0) accept_client();
  }
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

// One that cannot be served hears nothing but the end of its connection; the others go on.
void Loop::accept_client() {
  auto socket = accept_own(ears_.listener);
  if (!socket.has_value()) return pause();
  if (!*socket) return;  // A stranger.
  had_client_ = true;
  if (!begin(std::move(**socket)).has_value()) pause();
}

Result<> Loop::begin(sock::UniqueFd socket) {
  auto ended = SOCKCTL_TRY(make_pipe());
  auto& connection = connections_.emplace_back(
      Connection{.socket = std::move(socket), .ended = std::move(ended.reader), .thread = {}});
  try {
    connection.thread =
        std::thread{[this, writer = std::move(ended.writer), client = connection.socket.ref()] {
          ZygoteSession{host_, client, stop_.reader}.run();
        }};
  } catch (const std::system_error&) {
    connections_.pop_back();
    return refuse(Errc::exhausted, Stage::none, "a thread");
  }
  return {};
}

void Loop::pause() {
  pollfd end = readable(ears_.end);
  constexpr std::chrono::milliseconds moment{100};
  (void)wait_for({&end, 1}, std::chrono::steady_clock::now() + moment);
}

}  // namespace

Result<ZygoteEars> listen_for_zygotes(sock::UniqueFd dir, sock::UniqueFd end) {
  // Whoever was here before may have been killed. We have its lock, so it is dead.
  SOCKCTL_TRY(remove_socket_at(dir, "control"));
  auto listener = SOCKCTL_TRY(listen_at(dir, "control"));
  return ZygoteEars{.dir = std::move(dir), .end = std::move(end), .listener = std::move(listener)};
}

Result<> serve_zygotes(ZygoteHost& host, ZygoteEars ears, Stay stay,
                       std::list<sock::UniqueFd>& last) {
  auto stop = SOCKCTL_TRY(make_pipe());
  return Loop{host, std::move(ears), stay, std::move(stop)}.run(last);
}

}  // namespace sockctl
