#pragma once

// What a restored process is to be: the Host's first message to it.

#include <cstdint>
#include <optional>

#include "server/channel.hpp"
#include "wire/message.hpp"

namespace sock::zygote {

struct Role {
  enum class Kind : std::uint8_t { zygote, payload } kind;
  wire::FieldView argv{};  ///< Of a payload: strings, in the Inbox's memory. So is env.
  wire::FieldView env{};
};

/// Nothing: the Host has gone, or the message is not whole.
std::optional<Role> receive_role(int channel, Inbox& inbox) noexcept;

}  // namespace sock::zygote
