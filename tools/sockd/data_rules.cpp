// Names come from instances: in errors they are shortened, and made printable.

#include "data_rules.hpp"

#include <algorithm>

namespace sockd {
namespace {

using sock::Errc;

std::unexpected<sock::Error> refuse(Errc code, const std::string& name, const char* hint) {
  return sockctl::refuse(code, sock::Stage::none,
                         "'" + sock::printable(name.substr(0, most_data_name)) + "'", hint);
}

}  // namespace

std::chrono::milliseconds DataQuota::allowed(std::chrono::milliseconds asked) const {
  return std::clamp(asked, std::chrono::milliseconds{1}, time_to_live);
}

sock::Result<> check_data_name(const std::string& name) {
  if (name.empty() || name.size() > most_data_name)
    return refuse(Errc::invalid_spec, name, "a name has 1 to 256 bytes");
  return {};
}

std::unexpected<sock::Error> object_exists(const std::string& name) {
  return refuse(Errc::exists, name, "objects are written once");
}

std::unexpected<sock::Error> no_such_object(const std::string& name) {
  return refuse(Errc::not_found, name, "there is no such object");
}

std::unexpected<sock::Error> quota_used_up(const std::string& name) {
  return refuse(Errc::exhausted, name, "the application's quota is used up");
}

std::unexpected<sock::Error> no_room_here(const std::string& name) {
  return refuse(Errc::exhausted, name,
                "what the application's functions have of objects here takes all of its quota");
}

std::unexpected<sock::Error> counter_overflows(const std::string& name) {
  return refuse(Errc::invalid_spec, name, "a counter has 64 bits");
}

}  // namespace sockd
