// The asking side of the control socket.

#include "client.hpp"

#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "report.hpp"

namespace sockctl {

Result<sock::UniqueFd> connect_to(const Entry& entry) {
  auto socket = connect_at(entry.dir, "control");
  if (socket.has_value()) return socket;
  const bool nobody = socket.error().code == Errc::closed || socket.error().code == Errc::not_found;
  if (!nobody) return socket;
  if (SOCKCTL_TRY(is_alive(entry)))
    return refuse(Errc::exhausted, Stage::none, entry.name, "it is just starting; try again");
  return refuse(Errc::closed, Stage::none, entry.name,
                "its monitor is dead; sockctl gc removes what is left");
}

Result<nlohmann::json> next_answer(sock::FdRef socket, Deadline deadline,
                                   std::vector<sock::UniqueFd>* fds, const std::string& peer) {
  pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
  if (SOCKCTL_TRY(wait_for({&ready, 1}, deadline)) == 0)
    return refuse(Errc::timed_out, Stage::none, peer + " does not answer");
  auto received = receive_message(socket);
  const bool ended = received.has_value() ? !*received : received.error().code == Errc::closed;
  if (ended) return refuse(Errc::closed, Stage::none, peer + " has ended");
  auto message = SOCKCTL_TRY(std::move(received));
  if (fds != nullptr) *fds = std::move(message->fds);
  auto answer = parse_json(message->text);
  if (!answer.is_object())
    return refuse(Errc::corrupt, Stage::none, "the answer of " + peer + " is no JSON object");
  if (answer.contains("error")) return std::unexpected(error_from_json(answer["error"]));
  return answer;
}

Result<nlohmann::json> ask(const Entry& entry, const nlohmann::json& request,
                           std::chrono::milliseconds time) {
  const auto socket = SOCKCTL_TRY(connect_to(entry));
  SOCKCTL_TRY(send_message(socket, request));
  return next_answer(socket, std::chrono::steady_clock::now() + time);
}

std::vector<Result<nlohmann::json>> ask_all(const std::vector<Entry>& entries,
                                            const nlohmann::json& request) {
  std::vector<Result<sock::UniqueFd>> sockets;
  for (const auto& entry : entries) {
    auto socket = connect_to(entry);
    if (socket.has_value()) {
      const auto sent = send_message(*socket, request);
      if (!sent.has_value()) socket = std::unexpected(sent.error());
    }
    sockets.push_back(std::move(socket));
  }
  const auto deadline = std::chrono::steady_clock::now() + answer_time;
  std::vector<Result<nlohmann::json>> answers;
  for (const auto& socket : sockets) {
    if (socket.has_value()) {
      answers.push_back(next_answer(*socket, deadline));
    } else {
      answers.emplace_back(std::unexpected(socket.error()));
    }
  }
  return answers;
}

Result<std::vector<Entry>> entries_of(const Globals& globals,
                                      const std::vector<std::string>& names) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  if (names.empty()) return list_entries(state);
  std::vector<Entry> entries;
  for (const auto& name : names) entries.push_back(SOCKCTL_TRY(open_entry(state, name)));
  return entries;
}

int for_each_entry(const Globals& globals, const std::vector<std::string>& names,
                   const std::function<Result<>(const Entry&)>& action) {
  const auto state = state_dir(globals);
  if (!state.has_value()) return fail(state.error());
  int status = 0;
  for (const auto& name : names) {
    const auto entry = open_entry(*state, name);
    const auto done = entry.has_value() ? action(*entry) : Result<>{std::unexpected(entry.error())};
    if (!done.has_value()) status = fail(done.error());
  }
  return status;
}

}  // namespace sockctl
