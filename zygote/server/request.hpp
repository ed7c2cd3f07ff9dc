#pragma once

// What a Host asks of a zygote, read from its message.

#include <cstdint>
#include <optional>

#include "server/channel.hpp"
#include "wire/message.hpp"

namespace sock::zygote {

struct Request {
  wire::Kind kind;               ///< fork, grow, park or load
  std::uint64_t namespaces = 0;  ///< Of fork: CLONE_NEW*.
  bool no_hurry = false;         ///< Of fork: after whatever else is asked for.
  int channel = -1;              ///< Of fork, grow and park: the child's. The caller's to close.
  wire::FieldView modules{};     ///< Of load: strings, in the Inbox's memory. So are the paths.
  wire::FieldView paths{};
};

/// Nothing: it is no request, or not a whole one.
std::optional<Request> read_request(Inbox& inbox) noexcept;

}  // namespace sock::zygote
