#pragma once

// The monitor of one detached container: keeps its log, answers requests on its control socket, and
// remembers how it ended until it is removed. One thread, one poll loop.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/host.hpp"

#include "channel.hpp"
#include "log_writer.hpp"
#include "run_options.hpp"
#include "state_dir.hpp"

namespace sockctl {

/// Thread-bound.
class Monitor {
 public:
  struct Parts {
    RunOptions options;
    std::string state;
    sock::Identity identity;           ///< Of the payload; also of exec, unless told otherwise.
    std::vector<std::string> origins;  ///< What its root is made of, for snapshots.
    Entry entry;
    sock::UniqueFd listener;
    sock::UniqueFd signals;
    sock::UniqueFd out;
    sock::UniqueFd err;
    LogWriter log;
    sock::Container container;
  };
  explicit Monitor(Parts parts);

  /// Until the container is removed or the monitor is told to end. Removes the entry.
  Result<> run();

 private:
  // Somebody connected. With a process, an `exec` whose end they wait for; the process stays known
  // when they hang up, because only we can reap it.
  struct Client {
    sock::UniqueFd socket;
    bool waiting = false;
    std::optional<sock::Process> process = {};
  };
  enum class State : std::uint8_t { running, paused, exited };
  static constexpr std::size_t clients_max = 64;

  // The loop (monitor_loop.cpp).
  [[nodiscard]] std::vector<pollfd> wanted() const;
  Result<> handle(const std::vector<pollfd>& polled);
  Result<> accept_client();
  void serve(Client& client);
  void hang_up(Client& client);
  void report_end_of(Client& client);
  void copy_to_log(sock::UniqueFd& source, std::string_view stream);
  Result<> container_ended();
  Result<> remove_entry();

  // The requests (monitor_requests.cpp). Each gives the reply, or nothing for "later".
  using Reply = std::optional<nlohmann::json>;
  Reply answer(Client& client, const nlohmann::json& request, Message& message);
  Result<Reply> dispatch(Client& client, const nlohmann::json& request, Message& message);
  Result<Reply> inspect();
  Result<Reply> stats();
  Result<Reply> pause();
  Result<Reply> resume();
  Result<Reply> signal(Client& client, int number);
  Result<Reply> wait(Client& client);
  Result<Reply> remove(bool force);
  Result<Reply> checkpoint(const nlohmann::json& request);
  Result<Reply> exec(Client& client, const nlohmann::json& request, Message& message);
  [[nodiscard]] nlohmann::json exited_event() const;
  Result<> require_running() const;

  Parts parts_;
  std::string started_ = timestamp();
  std::string ended_ = {};
  State state_ = State::running;
  std::optional<sock::Container> container_;
  std::optional<sock::ExitStatus> status_ = {};
  std::optional<sock::Stats> final_stats_ = {};
  std::vector<Client> clients_ = {};
  bool ending_ = false;
  bool entry_removed_ = false;  ///< Once only: somebody else may use the name afterwards.
};

}  // namespace sockctl
