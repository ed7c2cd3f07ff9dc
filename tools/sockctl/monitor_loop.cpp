// The poll loop of a monitor: what is waited for, and what happens then.

#include "monitor_loop.hpp"

#include <algorithm>
#include <csignal>

#include <nlohmann/json.hpp>

#include "json_values.hpp"

namespace sockctl {
namespace {

// The order of the fixed descriptors in wanted(); two for each client follow.
enum Slot : std::size_t { slot_signals, slot_listener, slot_out, slot_err, slot_container, slots };

pollfd readable(sock::FdRef fd) {
  return {.fd = fd.get(), .events = POLLIN, .revents = 0};
}

}  // namespace

Monitor::Monitor(Parts parts) : parts_{std::move(parts)}, container_{std::move(parts_.container)} {
  clients_.reserve(clients_max);
}

std::vector<pollfd> Monitor::wanted() const {
  std::vector<pollfd> fds{
      readable(parts_.signals),
      // More clients than that wait in the socket's backlog.
      readable(clients_.size() < clients_max ? parts_.listener.ref() : sock::FdRef{}),
      readable(parts_.out), readable(parts_.err),
      readable(container_ ? container_->pidfd() : sock::FdRef{})};
  for (const auto& client : clients_) {
    fds.push_back(readable(client.socket));
    fds.push_back(readable(client.process ? client.process->pidfd() : sock::FdRef{}));
  }
  return fds;
}

Result<> Monitor::run() {
  while (!ending_) {
    auto fds = wanted();
    SOCKCTL_TRY(wait_for(fds, {}));
    SOCKCTL_TRY(handle(fds));
    std::erase_if(clients_, [](const Client& c) { return !c.socket && !c.process; });
  }
  return remove_entry();
}

Result<> Monitor::remove_entry() {
  if (entry_removed_) return {};
  SOCKCTL_TRY(remove_own(parts_.state, parts_.entry.name));
  entry_removed_ = true;
  return {};
}

Result<> Monitor::handle(const std::vector<pollfd>& polled) {
  if (polled[slot_out].revents != 0) copy_to_log(parts_.out, "stdout");
  if (polled[slot_err].revents != 0) copy_to_log(parts_.err, "stderr");
  const std::size_t count = clients_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (polled[slots + 2 * i + 1].revents != 0) report_end_of(clients_[i]);
    if (polled[slots + 2 * i].revents != 0) serve(clients_[i]);
  }
  if (polled[slot_container].revents != 0 && container_) SOCKCTL_TRY(container_ended());
  if (polled[slot_listener].revents != 0) SOCKCTL_TRY(accept_client());
  if (polled[slot_signals].revents != 0 && SOCKCTL_TRY(next_signal(parts_.signals))) {
    // Told to end: nothing of the container may outlive us.
    if (container_) SOCKCTL_TRY(container_->kill());
    ending_ = true;
  }
  return {};
}

Result<> Monitor::accept_client() {
  auto socket = accept_own(parts_.listener);
  // The one who connected may be gone already.
  if (socket.has_value() && *socket) clients_.push_back({.socket = std::move(**socket)});
  return {};
}

void Monitor::serve(Client& client) {
  auto message = receive_message(client.socket);
  if (!message.has_value() || !*message) return hang_up(client);
  const auto reply = answer(client, parse_json((*message)->text), **message);
  if (reply && !send_message(client.socket, *reply).has_value()) hang_up(client);
}

void Monitor::hang_up(Client& client) {
  client.socket.reset();
  client.waiting = false;
  // As a terminal would. What ignores it ends with the container.
  if (client.process) (void)client.process->signal(SIGHUP);
}

void Monitor::report_end_of(Client& client) {
  if (!client.process) return;
  const auto status = client.process->wait();
  client.process.reset();
  if (!client.socket) return;
  const nlohmann::json event =
      status.has_value() ? nlohmann::json{{"event", "exited"}, {"exit", to_json(*status)}}
                         : nlohmann::json{{"event", "exited"}, {"error", to_json(status.error())}};
  (void)send_message(client.socket, event);
  client.socket.reset();
}

// A chunk is at most 4 KiB, so that a payload that floods its log does not keep us from the rest.
void Monitor::copy_to_log(sock::UniqueFd& source, std::string_view stream) {
  std::array<char, 4096> buffer;
  const auto count = read_some(source, buffer);
  if (!count.has_value() && would_block(count.error())) return;
  if (!count.has_value() || *count == 0) return source.reset();
  parts_.log.write(stream, {buffer.data(), *count});
}

Result<> Monitor::container_ended() {
  status_ = SOCKCTL_TRY(container_->wait());
  ended_ = timestamp();
  state_ = State::exited;
  if (const auto stats = container_->stats(); stats.has_value()) final_stats_ = *stats;
  // Every writer is dead: what the pipes hold is all there will be.
  for (auto* source : {&parts_.out, &parts_.err}) {
    pollfd left = readable(*source);
    while (*source && SOCKCTL_TRY(wait_for({&left, 1}, std::chrono::steady_clock::now())) > 0)
      copy_to_log(*source, source == &parts_.out ? "stdout" : "stderr");
  }
  // First, so that whoever waited for the end may use the name at once.
  if (parts_.options.remove) SOCKCTL_TRY(remove_entry());
  ending_ = ending_ || parts_.options.remove;
  for (auto& client : clients_) {
    report_end_of(client);
    if (client.waiting) (void)send_message(client.socket, exited_event());
    client.waiting = false;
  }
  container_.reset();
  return {};
}

}  // namespace sockctl
