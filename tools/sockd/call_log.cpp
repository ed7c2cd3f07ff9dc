// Opened for each line: functions come and go, and a line is written after the answer is on its
// way.

#include "call_log.hpp"

#include <algorithm>
#include <array>
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
  if (outcome.kind != Outcome::Kind::result) line["error"] = shortened(outcome.body);
  if (!outcome.fallback.empty()) line["fallback"] = outcome.fallback;
  if (outcome.printed.dropped > 0) line["dropped_bytes"] = outcome.printed.dropped;
  return line;
}

/// Where the last so many lines begin. Read backwards: what came before is not looked at.
std::streamoff start_of_last(std::ifstream& file, std::streamoff end, std::size_t lines) {
  std::array<char, 64U << 10U> block;
  std::size_t newlines = 0;
  for (std::streamoff at = end; at > 0;) {
    const auto size = std::min<std::streamoff>(at, block.size());
    at -= size;
    file.seekg(at).read(block.data(), size);
    for (std::streamoff i = size; file && i-- > 0;)
      if (block[static_cast<std::size_t>(i)] == '\n' && newlines++ == lines) return at + i + 1;
  }
  return 0;
}

std::string last_lines(const std::string& path, std::size_t lines) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  if (!file) return {};
  const std::streamoff end = file.tellg();
  const std::streamoff start = start_of_last(file, end, lines);
  std::string text(static_cast<std::size_t>(end - start), '\0');
  file.seekg(start).read(text.data(), end - start);
  return file ? text : std::string{};
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
  auto size = fs::file_size(path, failed);
  if (failed) size = 0;
  if (size > most_bytes) {
    fs::rename(path, path + ".1", failed);
    if (!failed) size = 0;
  }
  const auto file =
      sockctl::open_at(sockctl::here, path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
  if (!file.has_value()) return;
  const std::string line =
      line_for(request, outcome, elapsed).dump(-1, ' ', true, json::error_handler_t::replace);
  // Half a line on a full disk would spoil the next one too.
  if (!sockctl::write_all(*file, line + "\n").has_value()) fs::resize_file(path, size, failed);
}

bool CallLog::exists(const std::string& function) const {
  std::error_code failed;
  return fs::exists(path_of(function), failed);
}

std::string CallLog::tail(const std::string& function, std::size_t lines) const {
  std::string text = last_lines(path_of(function), lines);
  const auto found = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  return found < lines ? last_lines(path_of(function) + ".1", lines - found) + text : text;
}

void CallLog::remove(const std::string& function) const {
  std::error_code ignored;
  fs::remove(path_of(function), ignored);
  fs::remove(path_of(function) + ".1", ignored);
}

}  // namespace sockd
