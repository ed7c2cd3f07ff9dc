// The request path: the best zygote that lives, and a note of what was missed.

#include "sock/import_cache.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/try.hpp"
#include "container/container_impl.hpp"
#include "sys/timer.hpp"
#include "zygote/cached_spec.hpp"
#include "zygote/import_cache_impl.hpp"

namespace sock {
namespace {

using std::chrono::steady_clock;

// Requests that nobody has thought about yet; more than that are as good as any.
constexpr std::size_t most_misses = 64;
constexpr std::size_t most_considered = 4096;

Result<> check_limits(const ImportCacheSpec& spec) {
  const auto refuse = [](const char* what, const char* why) {
    return base::refuse(Errc::invalid_spec, Stage::validate, what, why);
  };
  if (spec.domain.runtime != Runtime::python)
    return refuse("runtime", "only Python has packages to import");
  if (spec.memory_max == 0) return refuse("memory_max", "no zygote fits into nothing");
  if (spec.replicas_max == 0) return refuse("replicas_max", "at least 1");
  if (spec.recycling.age_max.count() <= 0 || spec.recycling.forks_max == 0)
    return refuse("recycling", "at least a second, and one fork");
  if (spec.stored && spec.stored->bytes_max == 0)
    return refuse("stored", "no snapshot fits into nothing");
  if (spec.import_deadline.count() <= 0) return refuse("import_deadline", "longer than nothing");
  if (spec.import_memory_max == 0) return refuse("import_memory_max", "an import takes something");
  return {};
}

std::vector<Package> missing_in(const ImportTree& tree, NodeId node,
                                std::span<const Package> declared) {
  const auto imported = tree.imported(node);
  std::vector<Package> missing;
  std::ranges::copy_if(declared, std::back_inserter(missing), [&](const Package& package) {
    return !std::ranges::binary_search(imported, package);
  });
  return missing;
}

/// Of a failed fork: whether the zygote is one that cannot be trusted to fork again.
bool cannot_be_trusted_after(const Error& error) {
  return error.code == Errc::closed || error.code == Errc::timed_out || error.code == Errc::corrupt;
}

}  // namespace

std::string_view to_string(Tended::Action action) noexcept {
  constexpr std::array<std::string_view, 10> names{"nothing", "opened",  "started",    "failed",
                                                   "evicted", "renewed", "replicated", "shrunk",
                                                   "stored",  "dropped"};
  return names[static_cast<std::size_t>(action)];
}

ImportCache::Impl::Impl(ImportCacheHost made_by, ImportCacheSpec described, UniqueFd clock,
                        std::unique_ptr<zygote::Shelf> kept)
    : host{std::move(made_by)},
      spec{std::move(described)},
      timer{std::move(clock)},
      shelf{std::move(kept)},
      tree{spec.tree},
      costs{spec.costs} {}

Result<std::unique_ptr<ImportCache::Impl>> ImportCache::Impl::open(ImportCacheHost host,
                                                                   ImportCacheSpec spec) {
  SOCK_TRY(check_limits(spec));
  UniqueFd timer = SOCK_TRY(base::in_stage(Stage::fork, sys::make_timer()));
  std::unique_ptr<zygote::Shelf> shelf;
  if (spec.stored)
    shelf = SOCK_TRY(zygote::Shelf::open(*spec.stored, spec.domain, spec.recycling.age_max));
  auto cache =
      std::make_unique<Impl>(std::move(host), std::move(spec), std::move(timer), std::move(shelf));
  const Time now = steady_clock::now();
  cache->expect_nodes(now);
  SOCK_TRY(cache->open_domain(now));
  // Whoever comes after it has the same ids, and so do those who are created instead.
  cache->spec.domain.user = cache->domain->user_namespace();
  cache->wake();
  return cache;
}

std::vector<ImportMatch> ImportCache::Impl::find_matches(std::span<const Package> declared) {
  const std::shared_lock lock{tree_mutex};
  return tree.matches(declared, costs);
}

void ImportCache::Impl::note_miss(const ImportMatch& best, bool lives,
                                  std::span<const Package> declared) {
  if (!lives) {
    population.count_miss(best.node, steady_clock::now());
    return wake();
  }
  std::vector<Package> all{declared.begin(), declared.end()};
  std::ranges::sort(all);
  {
    const std::scoped_lock lock{misses_mutex};
    if (misses.size() >= most_misses) return;
    if (considered.size() >= most_considered) considered.clear();
    if (!considered.insert(all).second) return;
    misses.push_back(std::move(all));
  }
  wake();
}

CachedStart ImportCache::Impl::started(Attempt attempt, const ImportMatch& match,
                                       std::string fallback,
                                       std::span<const Package> declared) const {
  const std::shared_lock lock{tree_mutex};
  const auto* node = tree.find(match.node);
  return {.container = std::move(**attempt.container),
          .zygote = node != nullptr ? node->name : std::string{},
          .missing = match.packages < declared.size() ? missing_in(tree, match.node, declared)
                                                      : std::vector<Package>{},
          .fallback = std::move(fallback)};
}

ImportCache::Impl::Attempt ImportCache::Impl::fork_living(NodeId node,
                                                          const ContainerSpec& wanted) {
  const auto lease = population.borrow(node);
  if (!lease) return {};
  Attempt attempt{.container = lease->that.zygote.fork(wanted)};
  if (attempt.container->has_value()) {
    std::chrono::nanoseconds fork_time{};
    for (const auto& timing : (*attempt.container)->timings())
      if (timing.stage == Stage::fork) fork_time += timing.elapsed;
    population.count_hit(node, fork_time, steady_clock::now());
    return attempt;
  }
  const Error& error = attempt.container->error();
  attempt.is_node_to_blame = error.stage == Stage::fork;
  if (attempt.is_node_to_blame && cannot_be_trusted_after(error)) {
    population.condemn(*lease, error.message(), steady_clock::now());
    population.count_miss(node, steady_clock::now());
    wake();
  }
  return attempt;
}

ImportCache::Impl::Attempt ImportCache::Impl::fork_stored(NodeId node,
                                                          const ContainerSpec& wanted) {
  const auto snapshot = shelf != nullptr ? shelf->borrow(node) : nullptr;
  if (snapshot == nullptr) return {};
  ContainerSpec whole = wanted;
  whole.namespaces.user = spec.domain.user;
  whole.init = host.init;
  Attempt attempt{.container = host.fork(*snapshot, whole)};
  if (attempt.container->has_value()) {
    if (shelf->count_fork(node) >= spec.recycling.forks_max) wake();
    population.count_hit_of_stored(node, steady_clock::now());
    return attempt;
  }
  // What it was made from may have changed; or the request has a root, a filter or limits with
  // which nothing can be restored.
  attempt.is_node_to_blame = attempt.container->error().stage == Stage::restore;
  if (attempt.is_node_to_blame) {
    shelf->suspect(node, snapshot);
    population.count_miss(node, steady_clock::now());
    wake();
  }
  return attempt;
}

Result<CachedStart> ImportCache::Impl::fork(const ContainerSpec& wanted,
                                            std::span<const Package> declared) {
  const ContainerSpec whole = zygote::with_packages(wanted, declared, spec.paths);
  const auto matches = find_matches(declared);
  std::string fallback;
  for (const auto& match : matches) {
    Attempt attempt = fork_living(match.node, whole);
    if (!attempt.container) attempt = fork_stored(match.node, whole);
    const bool is_best = match.node == matches.front().node;
    if (is_best && (!attempt.container || match.packages < declared.size()))
      note_miss(match, attempt.container.has_value(), declared);
    if (!attempt.container) continue;
    const Result<Container>& container = *attempt.container;
    if (container.has_value())
      return started(std::move(attempt), match, std::move(fallback), declared);
    if (!attempt.is_node_to_blame) return std::unexpected(container.error());
    if (fallback.empty()) fallback = name_of(match.node) + ": " + container.error().message();
  }
  if (fallback.empty()) fallback = "no zygote lives that imports nothing undeclared";
  auto container = SOCK_TRY(create(whole));
  return CachedStart{.container = std::move(container),
                     .zygote = {},
                     .missing = {declared.begin(), declared.end()},
                     .fallback = std::move(fallback)};
}

Result<Container> ImportCache::Impl::create(const ContainerSpec& wanted) const {
  ContainerSpec created = zygote::as_created(wanted, spec.domain, host.runtime);
  created.init = host.init;
  return host.create(created);
}

void ImportCache::Impl::wake() const {
  static_cast<void>(sys::arm_timer(timer, steady_clock::now()).has_value());
}

std::string ImportCache::Impl::name_of(NodeId node) const {
  const std::shared_lock lock{tree_mutex};
  const auto* found = tree.find(node);
  return found != nullptr ? found->name : std::string{};
}

ImportTree ImportCache::Impl::copy_tree() const {
  const std::shared_lock lock{tree_mutex};
  return tree;
}

ImportCosts ImportCache::Impl::copy_costs() const {
  const std::shared_lock lock{tree_mutex};
  return costs;
}

std::vector<CachedZygote> ImportCache::Impl::describe() const {
  const ImportTree current = copy_tree();
  auto all = population.describe(current, steady_clock::now());
  if (shelf == nullptr) return all;
  for (const auto& [node, item] : shelf->items())
    if (const auto* found = current.find(node))
      std::ranges::find(all, found->name, &CachedZygote::name)->stored = item.bytes;
  return all;
}

ImportCache::ImportCache(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
ImportCache::ImportCache(ImportCache&&) noexcept = default;
ImportCache& ImportCache::operator=(ImportCache&&) noexcept = default;
ImportCache::~ImportCache() = default;

Result<CachedStart> ImportCache::fork(const ContainerSpec& spec,
                                      std::span<const Package> declared) {
  SOCK_TRY(container::require(impl_));
  return impl_->fork(spec, declared);
}
FdRef ImportCache::due() const noexcept {
  return impl_ ? impl_->timer.ref() : FdRef{};
}
Result<Tended> ImportCache::tend() {
  SOCK_TRY(container::require(impl_));
  return impl_->tend();
}
ImportTree ImportCache::tree() const {
  return impl_ ? impl_->copy_tree() : ImportTree{};
}
std::vector<CachedZygote> ImportCache::zygotes() const {
  if (!impl_) return {};
  return impl_->describe();
}
Result<Stats> ImportCache::stats() const {
  SOCK_TRY(container::require(impl_));
  const std::shared_lock lock{impl_->domain_mutex};
  if (!impl_->domain)
    return base::refuse(Errc::closed, Stage::stats, "import cache", "it has died");
  return impl_->domain->container().stats();
}
Result<> ImportCache::kill() {
  SOCK_TRY(container::require(impl_));
  const std::shared_lock lock{impl_->domain_mutex};
  return impl_->domain ? impl_->domain->container().kill() : Result<>{};
}

}  // namespace sock
