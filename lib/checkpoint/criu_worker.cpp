// Starting CRIU and asking it.

#include "checkpoint/criu_worker.hpp"

#include <array>
#include <span>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/try.hpp"
#include "checkpoint/criu_log.hpp"
#include "sys/error.hpp"
#include "sys/file.hpp"
#include "sys/message.hpp"

namespace sock::checkpoint {
namespace {

constexpr int socket_number = 3;
// What it may run itself is looked for in the usual places, whatever the caller's PATH is.
constexpr const char* search_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace

Result<std::string> find_criu(const std::string& configured) {
  const std::array<std::string, 4> usual{SOCK_CRIU, "/usr/local/sbin/criu", "/usr/sbin/criu",
                                         "/usr/bin/criu"};
  const auto places = configured.empty() ? std::span<const std::string>{usual}
                                         : std::span<const std::string>{&configured, 1};
  for (const auto& place : places)
    if (sys::status_at(sys::cwd, place).has_value()) return place;
  return base::refuse(Errc::not_found, Stage::checkpoint, places.front(),
                      "checkpoint and restore need CRIU; scripts/install-criu installs it");
}

Result<std::string> probe_criu(const std::string& configured) {
  const auto deadline = sys::deadline_in(std::chrono::seconds{10});
  const auto program = SOCK_TRY(find_criu(configured));
  auto worker = SOCK_TRY(CriuWorker::start(program, {}));
  const auto version = SOCK_TRY(worker.ask(pack_version_request(), deadline));
  const auto directory = SOCK_TRY(sys::open(sys::cwd, "/", O_RDONLY | O_DIRECTORY));
  const auto answer = SOCK_TRY(worker.ask(pack_check_request(directory), deadline));
  if (answer.success) return version.version;
  return base::refuse(Errc::unsupported, Stage::checkpoint, program,
                      "CRIU " + version.version +
                          " does not work on this kernel; "
                          "scripts/install-criu gets one that does");
}

std::string words_of_criu(FdRef work, const Result<Response>& response) {
  constexpr std::size_t most_log = 16U << 20U;
  const auto log = sys::read_file(work, log_name, most_log);
  std::string words = log.has_value() ? decisive_lines(*log) : "";
  if (words.empty() && response.has_value()) words = response->message;
  if (words.empty() && response.has_value() && response->sys_errno != 0)
    words = sys::sys_error(response->sys_errno, "it failed").error().message();
  return "CRIU: " + (words.empty() ? "it does not say why" : words);
}

Result<CriuWorker> CriuWorker::start(const std::string& program, Setting setting) {
  auto pair = SOCK_TRY(sys::make_message_pair());
  sys::WorkerSpec spec{.argv = {program, "swrk", std::to_string(socket_number)},
                       .env = {search_path},
                       .descriptors = std::move(setting.descriptors),
                       .prepare = [&setting]() -> Result<> {
                         ::umask(S_IRWXG | S_IRWXO);  // What it writes has secrets in it.
                         if (setting.prepare) SOCK_TRY(setting.prepare());
                         return {};
                       }};
  spec.descriptors.push_back({.from = pair.there, .as = socket_number});
  auto process = SOCK_TRY(sys::WorkerProcess::start(spec));
  return CriuWorker{std::move(pair.here), std::move(process)};
}

Result<Response> CriuWorker::ask(const std::string& request, sys::Deadline deadline,
                                 const WhenDumped& when_dumped) {
  SOCK_TRY(sys::send_message(socket_, std::as_bytes(std::span{request}), {}));
  for (;;) {
    auto response = SOCK_TRY(next_response(deadline));
    if (response.notice.empty()) return response;
    const bool is_dumped = response.notice == dumped_notice && when_dumped;
    const auto begin = std::chrono::steady_clock::now();
    const bool go_on = !is_dumped || when_dumped().has_value();
    // Our own time is not CRIU's.
    const auto spent = std::chrono::steady_clock::now() - begin;
    if (deadline < sys::Deadline::max() - spent) deadline += spent;
    const std::string answer = pack_notice_answer(go_on);
    SOCK_TRY(sys::send_message(socket_, std::as_bytes(std::span{answer}), {}));
  }
}

Result<Response> CriuWorker::next_response(sys::Deadline deadline) {
  // Its own children have the other end of the socket too, so that alone does not tell its end.
  const std::array<FdRef, 2> either{socket_, process_.pidfd()};
  if (!SOCK_TRY(sys::wait_any(either, deadline)))
    return base::refuse(Errc::timed_out, Stage::none, "criu", "it did not answer in time");
  // It may have answered before.
  if (!SOCK_TRY(sys::wait_readable(socket_, std::chrono::steady_clock::now())))
    return base::refuse(Errc::closed, Stage::none, "criu", "it has died");
  std::array<std::byte, 4096> buffer;
  const auto message = SOCK_TRY(sys::receive_message(socket_, buffer));
  if (message.truncated)
    return base::refuse(Errc::corrupt, Stage::none, "criu", "its answer is too long");
  return parse_response({reinterpret_cast<const char*>(buffer.data()), message.size});
}

}  // namespace sock::checkpoint
