#pragma once

// What an instance asks of the bus of its application, and the answers: JSON texts. Instances are
// not trusted. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "sock/result.hpp"

#include "call.hpp"
#include "try.hpp"

namespace sockd {

inline constexpr std::size_t most_bus_message = 64U << 10U;  ///< Bytes; what is longer is a file.

/// One request. Its event or object, where it is too long for a message, comes as a sealed file.
struct BusRequest {
  enum class Kind : std::uint8_t {
    invoke,  ///< {"call": "invoke", "name": FUNCTION, "event": TEXT OF JSON, "wait": true}
    put,     ///< {"call": "put", "name", "ttl_ms"}, with the object
    get,     ///< {"call": "get", "name"}: the answer comes with it
    remove,  ///< {"call": "remove", "name"}
    add,     ///< {"call": "add", "name", "by", "ttl_ms"}
  } kind;
  std::string name;
  std::string event = {};  ///< JSON; empty: it is in the file.
  bool waits = true;       ///< For the result; otherwise it is kept on disk.
  std::int64_t by = 1;
  std::chrono::milliseconds time_to_live{60'000};
};
/// On failure: Errc::invalid_spec.
sock::Result<BusRequest> parse_bus_request(std::string_view text);

/// {"result": JSON}
std::string bus_result(std::string_view json);
/// The result is in the file that comes with it.
std::string bus_file();
/// {"error": {"type", "message", "trace"}}
std::string bus_error(std::string_view type, std::string_view message);
std::string bus_error(const sock::Error& error);
/// Of a call that has failed: what it has raised, or how it ended.
std::string bus_error(const Outcome& outcome);

}  // namespace sockd
