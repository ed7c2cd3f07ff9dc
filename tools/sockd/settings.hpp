#pragma once

// How the daemon is set up: its file, in TOML, and what the command line says instead. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "try.hpp"

namespace sockd {

struct Settings {
  std::string state;                     ///< A directory: functions, logs, the control socket.
  std::vector<std::string> listen = {};  ///< "127.0.0.1:8080"
  /// Empty: strangers may call functions and see the status, and no more.
  std::string token_file = {};
  std::string package_cache = {};  ///< Empty: as sockctl's.
  /// The state directory of sockctl's whose zygotes are held; empty: those of none.
  std::optional<std::string> zygotes = {};
  std::vector<std::string> watch = {};  ///< Directories below which functions may watch some.
  std::uint64_t memory = 0;             ///< Bytes of all instances; 0: half of the machine's.
  std::uint64_t zygote_memory = 512ULL << 20U;  ///< Bytes, for each application.
  std::uint64_t zygote_store = 2ULL << 30U;     ///< Bytes on disk, for each application.
  std::size_t spares = 1;                       ///< Of each zygote: children forked ahead.
  std::string redis = {};       ///< As parse_redis_address(); empty: objects are in our own memory.
  std::string redis_user = {};  ///< Empty: Redis' default one.
  std::string redis_password_file = {};         ///< Empty: it asks for none.
  std::uint64_t object_memory = 256ULL << 20U;  ///< Bytes of objects, for each application.
  std::size_t objects = 10'000;                 ///< And their number; as many counters.
  std::size_t queue = 1000;
  std::size_t function_queue = 100;
  std::size_t events = 100'000;  ///< That nobody waits for, until they are delivered.
  std::uint64_t event_bytes = 1ULL << 30U;
  std::chrono::milliseconds queue_time{10'000};
  std::chrono::milliseconds idle_time{600'000};
  std::chrono::milliseconds drain_time{20'000};  ///< For calls that run when the daemon is ended.
  friend bool operator==(const Settings&, const Settings&) = default;
};

/// Changes what the file names. On failure: Errc::invalid_spec with the key and what it may be.
sock::Result<> read_settings(std::string_view toml, Settings& settings);
/// All of them, as the file would have them.
std::string to_toml(const Settings& settings);

}  // namespace sockd
