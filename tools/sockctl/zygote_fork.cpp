// sockctl zygote fork, and run --zygote: a container from a fork, which the background Host makes.
// Its stdio is ours, passed over the socket; it ends with us.

#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "launch.hpp"
#include "remote_payload.hpp"
#include "report.hpp"
#include "run_report.hpp"
#include "stdio_message.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds start_time{30};

Result<> send_request(sock::FdRef host, const RunOptions& options, const sock::Stdio& stdio) {
  nlohmann::json request{{"verb", "fork"}, {"name", options.zygote}, {"options", to_json(options)}};
  const auto fds = put_stdio(request, stdio);
  return send_message(host, request, fds);
}

// Of an import tree: which zygote it was, and what that lacked.
std::string origin_line(const std::string& told) {
  const auto origin = parse_json(told);
  if (!origin.is_object()) return {};
  const auto zygote = origin.value("zygote", "");
  std::string line = zygote.empty() ? "created, with a fresh interpreter" : "forked from " + zygote;
  if (origin.value("origin", "") == to_string(sock::Origin::restored)) line += "'s snapshot";
  std::string lacking;
  for (const auto& package : origin.value("missing", std::vector<std::string>{}))
    lacking += " " + package;
  if (!lacking.empty()) line += "; not imported there:" + lacking;
  if (const auto reason = origin.value("fallback", ""); !reason.empty()) line += "; " + reason;
  return sock::printable(line) + "\n";
}

Result<sock::ExitStatus> run_forked(const Globals& globals, const RunOptions& options) {
  const auto host = SOCKCTL_TRY(connect_to_holder_of(globals, options.zygote));
  const auto payload = SOCKCTL_TRY(run_remotely({
      .peer = host,
      .peer_name = "the background Host",
      .console = {.interactive = options.interactive, .terminal = options.terminal},
      .start_time = start_time,
      .send = [&](const sock::Stdio& stdio) { return send_request(host, options, stdio); },
  }));
  if (options.timings) {
    SOCKCTL_TRY(write_all(sock::FdRef{2}, origin_line(payload.started.value("origin", ""))));
    const auto timings =
        timings_from_json(payload.started.value("timings", nlohmann::json::array()));
    SOCKCTL_TRY(write_all(sock::FdRef{2}, timings_table(timings)));
  }
  return payload.status;
}

}  // namespace

int zygote_fork(const Globals& globals, const RunOptions& options) {
  const auto forkable = check_forkable(options);
  if (!forkable.has_value()) return fail_usage(forkable.error());
  const auto text = serialise(options, "pass it by a file (-v)");
  if (!text.has_value()) return fail_usage(text.error());
  const auto status = run_forked(globals, options);
  if (!status.has_value()) return fail(status.error());
  explain_end(options.name, *status);
  return exit_code(*status);
}

}  // namespace sockctl
