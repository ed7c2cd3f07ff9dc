// The asking side of the background Host's socket.

#include "zygote_client.hpp"

#include <fcntl.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "background.hpp"
#include "client.hpp"
#include "json_values.hpp"
#include "state_dir.hpp"
#include "zygote_place.hpp"

namespace sockctl {
namespace {

// Empty when nobody listens.
Result<std::optional<sock::UniqueFd>> try_connect(sock::FdRef dir) {
  auto socket = connect_at(dir, "control");
  if (socket.has_value()) return std::optional{std::move(*socket)};
  const auto code = socket.error().code;
  if (code == Errc::closed || code == Errc::not_found) return std::optional<sock::UniqueFd>{};
  return refuse(code, Stage::none, "the background Host", "it does not answer; try again");
}

}  // namespace

Result<std::optional<sock::UniqueFd>> find_zygote_host(const Globals& globals) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto dir = open_at(here, state + "/zygotes", O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!dir.has_value() && dir.error().code == Errc::not_found)
    return std::optional<sock::UniqueFd>{};
  if (!dir.has_value()) return std::unexpected(dir.error());
  return try_connect(*dir);
}

Result<sock::UniqueFd> start_zygote_host(const Globals& globals) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto dir = SOCKCTL_TRY(open_zygote_dir(state));
  const auto starting = SOCKCTL_TRY(open_zygote_lock(dir, "start"));
  SOCKCTL_TRY(lock(starting));
  if (auto socket = SOCKCTL_TRY(try_connect(dir))) return std::move(*socket);
  auto life = SOCKCTL_TRY(open_zygote_lock(dir, "lock"));
  SOCKCTL_TRY(lock(life));  // One that has stopped listening ends within milliseconds.
  SOCKCTL_TRY(start_background(globals, {.verb = {"zygote", "host"}, .state = state, .input = {}},
                               std::move(life)));
  return connect_at(dir, "control");
}

Result<> remove_stale_zygote_socket(const std::string& state) {
  const auto dir = open_at(here, state + "/zygotes", O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!dir.has_value()) return {};
  const auto starting = SOCKCTL_TRY(open_zygote_lock(*dir, "start"));
  SOCKCTL_TRY(lock(starting));
  const auto life = SOCKCTL_TRY(open_zygote_lock(*dir, "lock"));
  if (!SOCKCTL_TRY(try_lock(life, Lock::exclusive))) return {};  // It lives.
  return remove_socket_at(*dir, "control");
}

Result<sock::UniqueFd> connect_to_holder_of(const Globals& globals, const std::string& name) {
  if (auto socket = SOCKCTL_TRY(find_zygote_host(globals))) return std::move(*socket);
  return refuse(Errc::not_found, Stage::none, name,
                fmt::format("no such zygote; sockctl zygote create {} makes one", name));
}

Result<nlohmann::json> next_zygote_event(sock::FdRef socket, Deadline deadline,
                                         std::vector<sock::UniqueFd>* fds) {
  return next_answer(socket, deadline, fds, "the background Host");
}

Result<sock::UniqueFd> ask_to_hold(const Globals& globals, const nlohmann::json& request,
                                   std::chrono::seconds patience) {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    auto socket = SOCKCTL_TRY(start_zygote_host(globals));
    auto sent = send_message(socket, request);
    if (sent.has_value()) {
      const auto accepted = next_zygote_event(socket, std::chrono::steady_clock::now() + patience);
      if (accepted.has_value()) return socket;
      sent = std::unexpected(accepted.error());
    }
    if (sent.error().code != Errc::closed || attempt == attempts)
      return std::unexpected(sent.error());
  }
}

Result<nlohmann::json> ask_zygotes(const Globals& globals, const char* verb,
                                   const std::vector<std::string>& names) {
  if (names.empty() && !SOCKCTL_TRY(find_zygote_host(globals))) return nlohmann::json::object();
  const auto socket =
      SOCKCTL_TRY(connect_to_holder_of(globals, names.empty() ? "" : names.front()));
  SOCKCTL_TRY(send_message(socket, {{"verb", verb}, {"names", names}}));
  return next_zygote_event(socket, std::chrono::steady_clock::now() + action_time);
}

void await_end_of(sock::FdRef socket) {
  const auto deadline = std::chrono::steady_clock::now() + action_time;
  pollfd ended{.fd = socket.get(), .events = POLLIN, .revents = 0};
  // The end polls as readable; there is nothing to be done about one that does not come.
  (void)wait_for({&ended, 1}, deadline);
}

}  // namespace sockctl
