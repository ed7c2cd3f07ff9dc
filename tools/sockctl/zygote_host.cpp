// The zygotes by their names.

#include "zygote_host.hpp"

#include <fmt/format.h>

#include "parse.hpp"

namespace sockctl {

Result<> ZygoteHost::add(std::shared_ptr<Held> held) {
  const std::string& name = held->name();
  SOCKCTL_TRY(check_name(name));
  const std::scoped_lock lock{mutex_};
  if (held_.contains(name))
    return refuse(Errc::exists, Stage::none, name,
                  fmt::format("another zygote has this name; sockctl zygote rm {}", name));
  held_.emplace(name, std::move(held));
  return {};
}

Result<std::shared_ptr<Held>> ZygoteHost::find(const std::string& name) const {
  const std::scoped_lock lock{mutex_};
  const auto found = held_.find(name);
  if (found != held_.end()) return found->second;
  return refuse(Errc::not_found, Stage::none, name, "no such zygote; sockctl zygote ls lists them");
}

Result<std::vector<std::shared_ptr<Held>>> ZygoteHost::find_all(
    const std::vector<std::string>& names) const {
  std::vector<std::shared_ptr<Held>> found;
  for (const auto& name : names) found.push_back(SOCKCTL_TRY(find(name)));
  if (!names.empty()) return found;
  const std::scoped_lock lock{mutex_};
  for (const auto& entry : held_) found.push_back(entry.second);
  return found;
}

void ZygoteHost::forget(const std::string& name) {
  std::shared_ptr<Held> last;  // Ends without our lock.
  const std::scoped_lock lock{mutex_};
  if (const auto found = held_.find(name); found != held_.end()) {
    last = std::move(found->second);
    held_.erase(found);
  }
}

bool ZygoteHost::empty() const {
  const std::scoped_lock lock{mutex_};
  return held_.empty();
}

}  // namespace sockctl
