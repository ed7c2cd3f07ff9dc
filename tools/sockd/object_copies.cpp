// Each who asks gets the file opened anew, so that we see whether anybody still has it.

#include "object_copies.hpp"

#include <utility>

#include "sealed_memory.hpp"

namespace sockd {

using sock::Result;

std::optional<sock::UniqueFd> ObjectCopies::find(const ObjectVersion& object, Time now) {
  forget_idle(now);
  const auto application = applications_.find(object.of.application);
  if (application == applications_.end()) return std::nullopt;
  auto& copies = application->second.copies;
  const auto found = copies.find({object.of.name, object.version});
  if (found == copies.end() || !found->second.file) return std::nullopt;
  found->second.used = now;
  auto file = open_again(found->second.file);
  if (!file.has_value()) return std::nullopt;
  return std::move(*file);
}

Result<> ObjectCopies::expect(const ObjectVersion& object, std::uint64_t size, Time now) {
  auto& all = applications_[object.of.application];
  if (size <= quota_.bytes && !has_room(all, size)) make_room(all, size);
  if (!has_room(all, size)) return no_room_here(object.of.name);
  const bool is_new =
      all.copies.try_emplace(Name{object.of.name, object.version}, Copy{.size = size, .used = now})
          .second;
  // Else it is here, and could not be opened for want of descriptors: it counts already.
  if (is_new) all.bytes += size;
  return {};
}

Result<sock::UniqueFd> ObjectCopies::arrived(const ObjectVersion& object, sock::UniqueFd file) {
  auto& copies = applications_[object.of.application].copies;
  const auto found = copies.find({object.of.name, object.version});
  // As everybody else, so that there is nobody who writes to it.
  auto own = SOCKCTL_TRY(open_again(file));
  auto theirs = SOCKCTL_TRY(open_again(file));
  found->second.file = std::move(own);
  return theirs;
}

void ObjectCopies::abandon(const ObjectVersion& object) {
  auto& all = applications_[object.of.application];
  const auto found = all.copies.find({object.of.name, object.version});
  if (found != all.copies.end()) remove(all, found);
}

std::uint64_t ObjectCopies::bytes(const std::string& application) const {
  const auto found = applications_.find(application);
  return found == applications_.end() ? 0 : found->second.bytes;
}

void ObjectCopies::remove(OfApplication& all, std::map<Name, Copy>::iterator which) {
  all.bytes -= which->second.size;
  all.copies.erase(which);
}

bool ObjectCopies::has_room(const OfApplication& all, std::uint64_t size) const {
  return all.copies.size() < quota_.entries && size <= quota_.bytes - all.bytes;
}

// Those that were asked for longest ago first.
void ObjectCopies::make_room(OfApplication& all, std::uint64_t size) const {
  std::multimap<Time, std::map<Name, Copy>::iterator> by_use;
  for (auto each = all.copies.begin(); each != all.copies.end(); ++each)
    by_use.emplace(each->second.used, each);
  for (const auto& [used, copy] : by_use) {
    if (has_room(all, size)) return;
    if (copy->second.file && is_nobody_elses(copy->second.file)) remove(all, copy);
  }
}

// Of all applications: one that is gone does not ask any more. Not more often than it matters.
void ObjectCopies::forget_idle(Time now) {
  constexpr std::chrono::seconds pause{5};
  if (now < next_look_) return;
  next_look_ = now + pause;
  for (auto& [name, all] : applications_)
    for (auto each = all.copies.begin(); each != all.copies.end();) {
      const auto current = each++;
      const auto& copy = current->second;
      if (copy.file && copy.used + idle <= now && is_nobody_elses(copy.file)) remove(all, current);
    }
  std::erase_if(applications_, [](const auto& each) { return each.second.copies.empty(); });
}

}  // namespace sockd
