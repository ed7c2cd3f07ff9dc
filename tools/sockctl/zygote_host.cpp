// The zygotes by their names.

#include "zygote_host.hpp"

#include <fmt/format.h>

#include "parse.hpp"

namespace sockctl {

Result<std::shared_ptr<HeldZygote>> ZygoteHost::add(ZygoteRequest request) {
  SOCKCTL_TRY(check_name(request.name));
  const std::string name = request.name;
  const std::scoped_lock lock{mutex_};
  if (zygotes_.contains(name))
    return refuse(Errc::exists, Stage::none, name,
                  fmt::format("another zygote has this name; sockctl zygote rm {}", name));
  auto zygote = std::make_shared<HeldZygote>(std::move(request));
  zygotes_.emplace(name, zygote);
  return zygote;
}

Result<std::shared_ptr<HeldZygote>> ZygoteHost::find(const std::string& name) const {
  const std::scoped_lock lock{mutex_};
  const auto found = zygotes_.find(name);
  if (found != zygotes_.end()) return found->second;
  return refuse(Errc::not_found, Stage::none, name, "no such zygote; sockctl zygote ls lists them");
}

Result<std::vector<std::shared_ptr<HeldZygote>>> ZygoteHost::find_all(
    const std::vector<std::string>& names) const {
  std::vector<std::shared_ptr<HeldZygote>> found;
  for (const auto& name : names) found.push_back(SOCKCTL_TRY(find(name)));
  if (!names.empty()) return found;
  const std::scoped_lock lock{mutex_};
  for (const auto& [name, zygote] : zygotes_) found.push_back(zygote);
  return found;
}

void ZygoteHost::forget(const std::string& name) {
  std::shared_ptr<HeldZygote> last;  // Ends without our lock.
  const std::scoped_lock lock{mutex_};
  if (const auto found = zygotes_.find(name); found != zygotes_.end()) {
    last = std::move(found->second);
    zygotes_.erase(found);
  }
}

bool ZygoteHost::empty() const {
  const std::scoped_lock lock{mutex_};
  return zygotes_.empty();
}

}  // namespace sockctl
