#pragma once

// A call of a function, and what became of it. Values.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "output.hpp"

namespace sockd {

struct CallRequest {
  std::string function;
  std::string event;  ///< JSON
  std::string id;
  std::string source = "http";  ///< Who calls.
  unsigned depth = 0;           ///< Of calls within calls.
};

/// For a call, or an event.
std::string new_request_id();

struct CallStage {
  std::string name;  ///< "queue", "start", "resume", "call"; those of a start are the library's.
  std::chrono::nanoseconds elapsed;
};

struct Outcome {
  enum class Kind : std::uint8_t {
    result,     ///< `body` is what the handler has returned: JSON.
    raised,     ///< `body` is what it has raised: JSON with "type", "message" and "trace".
    timed_out,  ///< Here and below, `body` is one line for people.
    exited,     ///< The payload ended, by itself or by a signal.
    out_of_memory,
    bad_answer,
    not_started,
    unknown_function,
    bad_event,
    function_busy,  ///< Too many wait for this function.
    overloaded,     ///< Too many wait at all, or one too long.
    closing,        ///< The daemon ends.
  } kind;
  std::string body = {};
  std::uint64_t version = 0;
  std::string path = {};    ///< "warm", "paused", "spare", "zygote", "snapshot", "created".
  std::string zygote = {};  ///< The node of the import tree that was forked.
  std::string fallback = {};
  std::vector<CallStage> stages = {};
  Printed printed = {};
};
/// The enumerator's own name.
std::string_view to_string(Outcome::Kind kind);
/// Of an outcome's body, what is kept where many are: its first 16 KiB, in whole characters.
std::string_view shortened(std::string_view body);

}  // namespace sockd
