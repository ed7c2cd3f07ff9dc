#pragma once

// Asking the background Host, and starting it.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "channel.hpp"
#include "globals.hpp"

namespace sockctl {

/// Empty when no background Host lives.
Result<std::optional<sock::UniqueFd>> find_zygote_host(const Globals& globals);
/// Starts one where none lives. Blocking: until it listens.
Result<sock::UniqueFd> start_zygote_host(const Globals& globals);
/// Removes the socket that one left when it was killed.
Result<> remove_stale_zygote_socket(const std::string& state);
/// For a zygote that must be there: Errc::not_found when no background Host lives.
Result<sock::UniqueFd> connect_to_holder_of(const Globals& globals, const std::string& name);

/// The next message; its "error", if it has one, as Error. Errc::closed when the Host
/// has ended.
Result<nlohmann::json> next_zygote_event(sock::FdRef socket, Deadline deadline,
                                         std::vector<sock::UniqueFd>* fds = nullptr);
/// Asks for something to be held; started where none lives. A Host that is just about to end takes
/// no request; the next one does.
Result<sock::UniqueFd> ask_to_hold(const Globals& globals, const nlohmann::json& request,
                                   std::chrono::seconds patience);
/// The reply to a request that all named zygotes answer at once; an empty object when no names are
/// given and nobody lives.
Result<nlohmann::json> ask_zygotes(const Globals& globals, const char* verb,
                                   const std::vector<std::string>& names);
/// Until the other side has closed the connection: after that, what was to be removed is gone, and
/// a Host that holds nothing any more as well.
void await_end_of(sock::FdRef socket);

}  // namespace sockctl
