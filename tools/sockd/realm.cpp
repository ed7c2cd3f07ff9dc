// What is missed by requests is started here, beside them.

#include "realm.hpp"

#include <algorithm>

#include "posix.hpp"

namespace sockd {
namespace {

constexpr std::chrono::milliseconds glance{200};  // How soon a realm that is closed stops tending.
constexpr const char* modules_below = "/site-packages";

std::map<sock::Package, std::string> paths_of(const std::vector<Packages>& packages) {
  std::map<sock::Package, std::string> paths;
  for (const auto& used : packages)
    for (const auto& each : used->packages())
      paths[each.package] = sock::PackagesInUse::target(each.package) + modules_below;
  return paths;
}

}  // namespace

Result<std::shared_ptr<Realm>> Realm::open(sock::Host& host, RealmSpec spec) {
  sock::ImportCacheSpec wanted{.domain = {.name = spec.name, .rootfs = spec.rootfs}};
  wanted.paths = paths_of(spec.packages);
  wanted.tree = spec.tree;
  wanted.modules = spec.modules;
  wanted.memory_max = spec.memory_max;
  auto cache = SOCKCTL_TRY(host.open_import_cache(std::move(wanted)));
  return std::make_shared<Realm>(std::move(spec), std::move(cache));
}

Realm::Realm(RealmSpec spec, sock::ImportCache cache)
    : spec_{std::move(spec)},
      cache_{std::move(cache)},
      tender_{[this](const std::stop_token& stop) { tend(stop); }} {}

// An import that is under way ends with its zygote.
Realm::~Realm() {
  tender_.request_stop();
  (void)cache_.kill().has_value();
  tender_.join();
}

bool Realm::covers(const std::vector<sock::Bind>& binds, const Modules& modules) const {
  return std::ranges::all_of(binds,
                             [&](const auto& bind) {
                               return std::ranges::find(spec_.rootfs.binds, bind) !=
                                      spec_.rootfs.binds.end();
                             }) &&
         joined(spec_.modules, modules) == spec_.modules;
}

void Realm::tend(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd due{.fd = cache_.due().get(), .events = POLLIN, .revents = 0};
    const auto ready = sockctl::wait_for({&due, 1}, std::chrono::steady_clock::now() + glance);
    // A domain that cannot be opened again: requests are served by created containers meanwhile.
    if (ready.has_value() && *ready > 0) (void)cache_.tend().has_value();
  }
}

sock::Rootfs joined(sock::Rootfs root, const sock::Rootfs& more) {
  for (const auto& bind : more.binds) {
    const auto same = std::ranges::find(root.binds, bind.target, &sock::Bind::target);
    if (same == root.binds.end())
      root.binds.push_back(bind);
    else
      *same = bind;
  }
  return root;
}

Modules joined(Modules modules, const Modules& more) {
  for (const auto& [package, names] : more) {
    auto& all = modules[package];
    for (const auto& name : names)
      if (std::ranges::find(all, name) == all.end()) all.push_back(name);
  }
  return modules;
}

}  // namespace sockd
