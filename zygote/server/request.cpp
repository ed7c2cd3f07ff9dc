// Reading requests: what each kind must have, and nothing that is not understood.

#include "server/request.hpp"

namespace sock::zygote {
namespace {

using wire::Field;
using wire::Kind;

/// The one descriptor that comes with `request`, or nothing.
std::optional<Request> with_channel(Request request, Inbox& inbox) noexcept {
  if (inbox.descriptor_count() != 1) return {};
  request.channel = inbox.take_descriptor(0);
  return request;
}

}  // namespace

std::optional<Request> read_request(Inbox& inbox) noexcept {
  auto reader = wire::Reader::open(inbox.bytes());
  if (!reader) return {};
  Request request{.kind = reader->kind()};
  std::optional<std::uint64_t> namespaces;
  while (const auto field = reader->next()) {
    if (field->field == Field::namespaces) namespaces = field->as<std::uint64_t>();
    if (field->field == Field::flags)
      request.no_hurry = (field->as<std::uint32_t>().value_or(0) &
                          static_cast<std::uint32_t>(wire::Flag::no_hurry)) != 0;
    if (field->field == Field::modules) request.modules = *field;
    if (field->field == Field::paths) request.paths = *field;
  }
  if (!reader->complete()) return {};
  request.namespaces = namespaces.value_or(0);
  switch (request.kind) {
    case Kind::fork:
      return namespaces ? with_channel(request, inbox) : std::nullopt;
    case Kind::grow:
    case Kind::park:
      return with_channel(request, inbox);
    case Kind::load:
      return request;
    default:
      return {};
  }
}

}  // namespace sock::zygote
