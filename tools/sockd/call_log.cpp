// Opened for each line: functions come and go, and a line is written after the answer is on its
// way.

#include "call_log.hpp"

#include <deque>
#include <filesystem>
#include <fstream>

#include <fcntl.h>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "posix.hpp"

namespace sockd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t most_bytes = 8U << 20U;

std::string now() {
  const auto time =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto ms = time.time_since_epoch().count() % 1000;
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                     ms);
}

double ms_of(std::chrono::nanoseconds elapsed) {
  return std::chrono::duration<double, std::milli>(elapsed).count();
}

json line_for(const CallRequest& request, const Outcome& outcome,
              std::chrono::nanoseconds elapsed) {
  json stages = json::object();
  for (const auto& stage : outcome.stages) stages[stage.name] = ms_of(stage.elapsed);
  json line{{"time", now()},
            {"request_id", request.id},
            {"source", request.source},
            {"version", outcome.version},
            {"outcome", to_string(outcome.kind)},
            {"path", outcome.path},
            {"zygote", outcome.zygote},
            {"ms", ms_of(elapsed)},
            {"stages_ms", std::move(stages)},
            {"printed", outcome.printed.text}};
  if (outcome.kind != Outcome::Kind::result) line["error"] = outcome.body;
  if (!outcome.fallback.empty()) line["fallback"] = outcome.fallback;
  if (outcome.printed.dropped > 0) line["dropped_bytes"] = outcome.printed.dropped;
  return line;
}

}  // namespace

sock::Result<CallLog> CallLog::open(std::string directory) {
  SOCKCTL_TRY(sockctl::ensure_private_dir(directory));
  return CallLog{std::move(directory)};
}

std::string CallLog::path_of(const std::string& function) const {
  return fmt::format("{}/{}.jsonl", directory_, function);
}

void CallLog::write(const CallRequest& request, const Outcome& outcome,
                    std::chrono::nanoseconds elapsed) {
  const std::string path = path_of(request.function);
  std::error_code failed;
  if (fs::file_size(path, failed) > most_bytes && !failed) fs::rename(path, path + ".1", failed);
  const auto file =
      sockctl::open_at(sockctl::here, path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
  if (!file.has_value()) return;
  const std::string line =
      line_for(request, outcome, elapsed).dump(-1, ' ', true, json::error_handler_t::replace);
  (void)sockctl::write_all(*file, line + "\n").has_value();
}

std::string CallLog::tail(const std::string& function, std::size_t lines) const {
  std::deque<std::string> last;
  for (const auto& path : {path_of(function) + ".1", path_of(function)}) {
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
      last.push_back(std::move(line));
      if (last.size() > lines) last.pop_front();
    }
  }
  std::string text;
  for (const auto& line : last) text += line + "\n";
  return text;
}

void CallLog::remove(const std::string& function) const {
  std::error_code ignored;
  fs::remove(path_of(function), ignored);
  fs::remove(path_of(function) + ".1", ignored);
}

}  // namespace sockd
