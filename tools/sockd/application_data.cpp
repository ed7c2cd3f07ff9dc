// What is too old is forgotten when somebody looks, and now and then.

#include "application_data.hpp"

#include <ranges>
#include <utility>

namespace sockd {

using sock::Result;

void ApplicationData::forget_old(Time now) {
  end_old_ones(now);
  lent_.look();
}

void ApplicationData::end_old_ones(Time now) {
  for (auto& object : objects_ | std::views::values)
    if (object.end <= now) end(object);
  std::erase_if(objects_, [now](const auto& each) { return each.second.end <= now; });
  std::erase_if(counters_, [&](const auto& each) { return each.second.end <= now; });
}

void ApplicationData::end(Object& object) {
  bytes_ -= object.size;
  lent_.add(std::move(object.file), object.size);
}

bool ApplicationData::has_room(std::uint64_t size) const noexcept {
  return objects_.size() + lent_.files() < quota_.entries && bytes() <= quota_.bytes &&
         size <= quota_.bytes - bytes();
}

ApplicationData::Time ApplicationData::end_of(std::chrono::milliseconds time_to_live,
                                              Time now) const {
  return now + quota_.allowed(time_to_live);
}

Result<> ApplicationData::put(const std::string& name, sock::UniqueFd file, std::uint64_t size,
                              std::chrono::milliseconds time_to_live, Time now) {
  end_old_ones(now);
  SOCKCTL_TRY(check_data_name(name));
  if (objects_.contains(name)) return object_exists(name);
  if (!has_room(size)) lent_.look();
  if (!has_room(size)) return quota_used_up(name);
  objects_.emplace(name,
                   Object{.file = std::move(file), .size = size, .end = end_of(time_to_live, now)});
  bytes_ += size;
  return {};
}

Result<sock::FdRef> ApplicationData::get(const std::string& name, Time now) {
  end_old_ones(now);
  const auto found = objects_.find(name);
  if (found == objects_.end()) return no_such_object(name);
  return sock::FdRef{found->second.file};
}

bool ApplicationData::remove(const std::string& name, Time now) {
  end_old_ones(now);
  const auto found = objects_.find(name);
  if (found == objects_.end()) return false;
  end(found->second);
  objects_.erase(found);
  return true;
}

Result<std::int64_t> ApplicationData::add(const std::string& name, std::int64_t by,
                                          std::chrono::milliseconds time_to_live, Time now) {
  end_old_ones(now);
  SOCKCTL_TRY(check_data_name(name));
  if (!counters_.contains(name) && counters_.size() >= quota_.entries) return quota_used_up(name);
  auto& counter = counters_[name];
  std::int64_t sum = 0;
  if (__builtin_add_overflow(counter.value, by, &sum)) return counter_overflows(name);
  counter.value = sum;
  counter.end = end_of(time_to_live, now);
  return counter.value;
}

}  // namespace sockd
