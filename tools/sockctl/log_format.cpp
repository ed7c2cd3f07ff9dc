// One line of a container's log, written and read.

#include <array>
#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "log_writer.hpp"

namespace sockctl {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      group = (group << 8U) | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += j <= count ? alphabet[(group >> (18U - 6U * j)) & 63U] : '=';
  }
  return out;
}

std::string from_base64(std::string_view text) {
  std::string out;
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) break;
    group = (group << 6U) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>((group >> bits) & 0xffU);
  }
  return out;
}

}  // namespace

std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(now - seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), micro.count());
}

std::string log_entry(std::string_view time, std::string_view stream, std::string_view text) {
  nlohmann::json line{{"t", time}, {"stream", stream}, {"data", text}};
  try {
    return line.dump(-1, ' ', true) + "\n";
  } catch (const nlohmann::json::type_error&) {
    line.erase("data");
    line["base64"] = to_base64(text);
    return line.dump(-1, ' ', true) + "\n";
  }
}

bool read_log_entry(std::string_view line, LogEntry& entry) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return false;
  try {
    entry.stream = json.value("stream", "");
    entry.data = json.contains("base64") ? from_base64(json["base64"].get<std::string>())
                                         : json.value("data", "");
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace sockctl
