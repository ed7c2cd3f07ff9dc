// One message, of one of two kinds.

#include "server/role.hpp"

namespace sock::zygote {

std::optional<Role> receive_role(int channel, Inbox& inbox) noexcept {
  if (inbox.receive(channel) != Inbox::Outcome::message) return {};
  auto reader = wire::Reader::open(inbox.bytes());
  if (!reader) return {};
  const bool is_payload = reader->kind() == wire::Kind::run;
  if (!is_payload && reader->kind() != wire::Kind::serve) return {};
  Role role{.kind = is_payload ? Role::Kind::payload : Role::Kind::zygote};
  while (const auto field = reader->next()) {
    if (field->field == wire::Field::argv) role.argv = *field;
    if (field->field == wire::Field::env) role.env = *field;
  }
  if (!reader->complete()) return {};
  return role;
}

}  // namespace sock::zygote
