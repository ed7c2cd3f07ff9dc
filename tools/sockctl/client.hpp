#pragma once

// Asking monitors. A monitor that does not answer within the deadline is an error, not a wait.

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "channel.hpp"
#include "globals.hpp"
#include "state_dir.hpp"

namespace sockctl {

inline constexpr std::chrono::seconds answer_time{1};
/// For requests that wait for processes to freeze or end.
inline constexpr std::chrono::seconds action_time{10};

/// A connection to the monitor of a container; Errc::closed when it is dead.
Result<sock::UniqueFd> connect_to(const Entry& entry);
/// The next message; its "error", if it has one, as Error.
Result<nlohmann::json> next_answer(sock::FdRef socket, Deadline deadline,
                                   std::vector<sock::UniqueFd>* fds = nullptr,
                                   const std::string& peer = "the monitor");
Result<nlohmann::json> ask(const Entry& entry, const nlohmann::json& request,
                           std::chrono::milliseconds time);
/// All at once: one stuck monitor costs the others nothing. In the order of the entries.
std::vector<Result<nlohmann::json>> ask_all(const std::vector<Entry>& entries,
                                            const nlohmann::json& request);

/// The entries with these names, or all of them when there are no names.
Result<std::vector<Entry>> entries_of(const Globals& globals,
                                      const std::vector<std::string>& names);
/// Does something with each name, complains of each failure, and gives the exit status.
int for_each_entry(const Globals& globals, const std::vector<std::string>& names,
                   const std::function<Result<>(const Entry&)>& action);

}  // namespace sockctl
