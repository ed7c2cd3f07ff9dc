// sockctl zygote rm: ends zygotes, and with --force the containers forked from them.

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "report.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

Result<> remove(const Globals& globals, const std::string& name, bool force) {
  const auto socket = SOCKCTL_TRY(connect_to_holder_of(globals, name));
  SOCKCTL_TRY(send_message(socket, {{"verb", "remove"}, {"name", name}, {"force", force}}));
  // It waits as long itself for containers that do not end.
  const auto deadline = std::chrono::steady_clock::now() + 2 * action_time;
  SOCKCTL_TRY(next_zygote_event(socket, deadline));
  await_end_of(socket);
  return {};
}

}  // namespace

int zygote_rm(const Globals& globals, const RmOptions& options) {
  int status = 0;
  for (const auto& name : options.names) {
    const auto done = remove(globals, name, options.force);
    if (!done.has_value()) status = fail(done.error());
  }
  return status;
}

}  // namespace sockctl
