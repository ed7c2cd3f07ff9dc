// The caller's side of such a payload.

#include "remote_payload.hpp"

#include <csignal>
#include <optional>
#include <vector>

#include "client.hpp"
#include "json_values.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

Result<Next> pass_signal_on(sock::FdRef peer, const Console& console, sock::FdRef master,
                            sock::FdRef signals) {
  const auto number = SOCKCTL_TRY(next_signal(signals));
  if (!number) return Next::go_on;
  if (*number == SIGWINCH) {
    console.resize(master);
    return Next::go_on;
  }
  SOCKCTL_TRY(send_message(peer, {{"verb", "signal"}, {"number", *number}}));
  return Next::go_on;
}

}  // namespace

Result<RemotePayload> run_remotely(const RemoteRequest& request) {
  const auto signals = SOCKCTL_TRY(foreground_signals());
  auto console = SOCKCTL_TRY(Console::make(request.console));
  SOCKCTL_TRY(request.send(console.stdio()));
  std::vector<sock::UniqueFd> fds;
  auto started =
      SOCKCTL_TRY(next_answer(request.peer, std::chrono::steady_clock::now() + request.start_time,
                              &fds, request.peer_name));
  const sock::FdRef master = fds.empty() ? sock::FdRef{} : fds.front().ref();
  if (request.console.terminal && !master)
    return refuse(Errc::corrupt, Stage::none, request.peer_name + " sent no terminal");

  Relay relay;
  SOCKCTL_TRY(console.attach(relay, master));
  std::optional<sock::ExitStatus> status;
  relay.watch(signals, [&] { return pass_signal_on(request.peer, console, master, signals); });
  relay.watch(request.peer, [&]() -> Result<Next> {
    const auto event = SOCKCTL_TRY(next_answer(request.peer, {}, nullptr, request.peer_name));
    status = exit_status_from_json(event.value("exit", nlohmann::json::object()));
    return Next::stop;
  });
  SOCKCTL_TRY(relay.run({}));
  SOCKCTL_TRY(relay.drain(signals));
  return RemotePayload{.started = std::move(started), .status = *status};
}

}  // namespace sockctl
