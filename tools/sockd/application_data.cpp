// What is too old is forgotten when somebody looks.

#include "application_data.hpp"

#include <algorithm>

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;
using sock::Stage;

constexpr std::size_t most_name = 256;

std::unexpected<sock::Error> refuse(Errc code, const std::string& name, const char* hint) {
  return sockctl::refuse(code, Stage::none, "'" + sock::printable(name.substr(0, most_name)) + "'",
                         hint);
}

}  // namespace

void ApplicationData::forget_old(Time now) {
  std::erase_if(objects_, [&](const auto& each) {
    const bool is_old = each.second.end <= now;
    if (is_old) bytes_ -= each.second.size;
    return is_old;
  });
  std::erase_if(counters_, [&](const auto& each) { return each.second.end <= now; });
}

ApplicationData::Time ApplicationData::end_of(std::chrono::milliseconds time_to_live,
                                              Time now) const {
  return now + std::clamp(time_to_live, std::chrono::milliseconds{1}, quota_.time_to_live);
}

Result<> ApplicationData::put(const std::string& name, sock::UniqueFd file, std::uint64_t size,
                              std::chrono::milliseconds time_to_live, Time now) {
  forget_old(now);
  if (name.empty() || name.size() > most_name)
    return refuse(Errc::invalid_spec, name, "a name has 1 to 256 bytes");
  if (objects_.contains(name)) return refuse(Errc::exists, name, "objects are written once");
  if (objects_.size() >= quota_.entries || bytes_ + size > quota_.bytes)
    return refuse(Errc::exhausted, name, "the application's quota is used up");
  objects_.emplace(name,
                   Object{.file = std::move(file), .size = size, .end = end_of(time_to_live, now)});
  bytes_ += size;
  return {};
}

Result<sock::FdRef> ApplicationData::get(const std::string& name, Time now) {
  forget_old(now);
  const auto found = objects_.find(name);
  if (found == objects_.end()) return refuse(Errc::not_found, name, "there is no such object");
  return sock::FdRef{found->second.file};
}

bool ApplicationData::remove(const std::string& name, Time now) {
  forget_old(now);
  const auto found = objects_.find(name);
  if (found == objects_.end()) return false;
  bytes_ -= found->second.size;
  objects_.erase(found);
  return true;
}

Result<std::int64_t> ApplicationData::add(const std::string& name, std::int64_t by,
                                          std::chrono::milliseconds time_to_live, Time now) {
  forget_old(now);
  if (name.empty() || name.size() > most_name)
    return refuse(Errc::invalid_spec, name, "a name has 1 to 256 bytes");
  if (!counters_.contains(name) && counters_.size() >= quota_.entries)
    return refuse(Errc::exhausted, name, "the application's quota is used up");
  auto& counter = counters_[name];
  std::int64_t sum = 0;
  if (__builtin_add_overflow(counter.value, by, &sum))
    return refuse(Errc::invalid_spec, name, "a counter has 64 bits");
  counter.value = sum;
  counter.end = end_of(time_to_live, now);
  return counter.value;
}

}  // namespace sockd
