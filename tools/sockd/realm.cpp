// What is missed by requests is started here, beside them.

#include "realm.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fcntl.h>

#include <fmt/format.h>

#include "sock/checkpoint.hpp"

#include "posix.hpp"

namespace sockd {
namespace {

constexpr std::chrono::milliseconds glance{200};  // How soon a realm that is closed stops tending.
constexpr const char* tree_file = "/tree.json";
constexpr const char* snapshots_below = "/snapshots";
constexpr const char* modules_below = "/site-packages";

std::map<sock::Package, std::string> paths_of(const std::vector<Packages>& packages) {
  std::map<sock::Package, std::string> paths;
  for (const auto& used : packages)
    for (const auto& each : used->packages())
      paths[each.package] = sock::PackagesInUse::target(each.package) + modules_below;
  return paths;
}

bool are_in(const Modules& some, const Modules& all) {
  return std::ranges::all_of(some, [&](const auto& each) {
    const auto known = all.find(each.first);
    return known != all.end() && std::ranges::all_of(each.second, [&](const auto& name) {
             return std::ranges::find(known->second, name) != known->second.end();
           });
  });
}

}  // namespace

Result<std::shared_ptr<Realm>> Realm::open(sock::Host& host, RealmSpec spec) {
  sock::ImportCacheSpec wanted{.domain = {.name = spec.name, .rootfs = spec.rootfs}};
  wanted.paths = paths_of(spec.packages);
  wanted.tree = spec.tree;
  wanted.modules = spec.modules;
  wanted.memory_max = spec.memory_max;
  wanted.import_memory_max = spec.memory_max;  // The cache looks at them when it is done.
  wanted.spares = spec.spares;
  wanted.stored = sock::StoredZygotes{.directory = spec.directory + snapshots_below,
                                      .bytes_max = spec.stored_max};
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
         are_in(modules, spec_.modules);
}

void Realm::tend(const std::stop_token& stop) {
  while (!stop.stop_requested() && !is_superseded_) {
    pollfd due{.fd = cache_.due().get(), .events = POLLIN, .revents = 0};
    const auto ready = sockctl::wait_for({&due, 1}, std::chrono::steady_clock::now() + glance);
    if (!ready.has_value() || *ready == 0) continue;
    // A domain that cannot be opened again: requests are served by created containers meanwhile.
    const auto tended = cache_.tend();
    if (!tended.has_value()) continue;
    if (tended->action == sock::Tended::Action::started) write_tree();
    if (tended->action == sock::Tended::Action::failed)
      fmt::print(stderr, "sockd: zygote {} of {}: {}\n", tended->zygote,
                 spec_.application.empty() ? "no application" : spec_.application, tended->reason);
  }
}

// Best effort: without it the next daemon learns anew.
void Realm::write_tree() const {
  if (is_superseded_) return;
  const std::string path = spec_.directory + tree_file;
  const std::string fresh = path + ".new";
  if (!(std::ofstream{fresh} << cache_.tree().to_json()).flush()) return;
  std::error_code ignored;
  std::filesystem::rename(fresh, path, ignored);
}

// Best effort: what is left is within the bounds of those who have written it.
void Realm::forget_earlier_roots() {
  if (has_forgotten_) return;
  auto store = sock::SnapshotStore::open({.directory = spec_.directory + snapshots_below});
  if (!store.has_value()) return;
  const auto all = store->list();
  if (!all.has_value()) return;
  has_forgotten_ = true;
  for (const auto& each : *all)
    if (each.problem.empty() && each.spec.rootfs != spec_.rootfs)
      has_forgotten_ = store->remove(each.name).has_value() && has_forgotten_;
}

sock::ImportTree Realm::written_tree(const std::string& directory) {
  constexpr std::size_t most = 4U << 20U;
  const auto file = sockctl::open_at(sockctl::here, directory + tree_file, O_RDONLY | O_NOFOLLOW);
  const auto text = file.has_value() ? sockctl::read_all(*file, most) : Result<std::string>{""};
  auto tree = sock::ImportTree::parse(text.value_or(""));
  return tree.has_value() ? std::move(*tree) : sock::ImportTree{};
}

bool add_modules(Modules& into, const Modules& more) {
  bool is_new = false;
  for (const auto& [package, names] : more) {
    auto& all = into[package];
    for (const auto& name : names) {
      if (std::ranges::find(all, name) != all.end()) continue;
      all.push_back(name);
      is_new = true;
    }
  }
  return is_new;
}

}  // namespace sockd
