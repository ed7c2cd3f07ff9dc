// Off the request path: carrying out what tending.hpp has decided.

#include <algorithm>

#include "sock/zygote_plan.hpp"

#include "base/try.hpp"
#include "sys/process.hpp"
#include "sys/timer.hpp"
#include "zygote/import_allowance.hpp"
#include "zygote/import_cache_impl.hpp"
#include "zygote/importing.hpp"

namespace sock {
namespace {

using std::chrono::steady_clock;
using zygote::Newcomer;
using zygote::Step;

Tended nothing() {
  return {.action = Tended::Action::nothing, .zygote = {}, .reason = {}};
}

}  // namespace

Result<Tended> ImportCache::Impl::tend() {
  const std::scoped_lock lock{tending};
  const Time now = steady_clock::now();
  plan_next(now);  // First: whoever misses something meanwhile sets it anew.
  population.bury(now);
  grow_tree(now);
  measure_private_memory();
  const ImportTree current = copy_tree();
  auto state = population.state(current, spec.memory_max, spec.replicas_max, now);
  state.domain_lives = domain_lives();
  state.recycling_due = recycling_due(now);
  if (shelf != nullptr) {
    shelf->recognise(current, spec.paths);
    add_stored(state);
  }
  const Step step = zygote::next_step(current, state);
  auto tended = carry_out(step, now);
  if (step.kind != Step::Kind::nothing) wake();
  return tended;
}

Result<Tended> ImportCache::Impl::carry_out(Step step, Time now) {
  const std::string name = name_of(step.node);
  const auto done = [&](Tended::Action action) {
    return Tended{.action = action, .zygote = name, .reason = {}};
  };
  switch (step.kind) {
    case Step::Kind::nothing:
      return nothing();
    case Step::Kind::open_domain:
      population.clear();
      close_domain();
      SOCK_TRY(open_domain(now));
      return done(Tended::Action::opened);
    case Step::Kind::start:
      return start(step.node, Tended::Action::started, now);
    case Step::Kind::renew:
      return start(step.node, Tended::Action::renewed, now);
    case Step::Kind::replicate:
      return start(step.node, Tended::Action::replicated, now);
    case Step::Kind::evict:
      population.retire_all(step.node);
      return done(Tended::Action::evicted);
    case Step::Kind::shrink:
      population.retire_one(step.node);
      return done(Tended::Action::shrunk);
    case Step::Kind::verify:
      return verify(step.node);
    case Step::Kind::store:
      return store(step.node);
    case Step::Kind::drop:
      // What has turned out to be too large is not stored again and again.
      if (shelf->bytes() > shelf->bytes_max()) unstorable.insert(step.node);
      shelf->drop(step.node);
      return done(Tended::Action::dropped);
    case Step::Kind::drop_unknown:
      shelf->drop_unknown();
      return {{.action = Tended::Action::dropped, .zygote = {}, .reason = {}}};
  }
  return nothing();
}

Result<> ImportCache::Impl::open_domain(Time now) {
  ZygoteDomain opened = SOCK_TRY(host.open_domain(spec.domain));
  {
    const std::unique_lock lock{domain_mutex};
    domain.emplace(std::move(opened));
  }
  auto first = SOCK_TRY(start_root());
  move_in(ImportTree::root, std::move(first), now);
  root_born = now;
  return {};
}

void ImportCache::Impl::move_in(NodeId node, Newcomer newcomer, Time now) {
  // What cannot be parked is forked when it is asked for.
  if (spec.spares > 0) static_cast<void>(newcomer.zygote.keep_spares(spec.spares).has_value());
  population.move_in(node, std::move(newcomer), now);
}

void ImportCache::Impl::close_domain() {
  const std::unique_lock lock{domain_mutex};
  domain.reset();
}

bool ImportCache::Impl::domain_lives() {
  if (!domain.has_value()) return false;
  const auto ended = sys::wait_readable(domain->container().pidfd(), steady_clock::now());
  return ended.has_value() && !*ended;
}

bool ImportCache::Impl::recycling_due(Time now) const {
  return now - root_born >= spec.recycling.age_max ||
         population.forks_since_renewal() >= spec.recycling.forks_max;
}

Tended ImportCache::Impl::start(NodeId node, Tended::Action action, Time now) {
  const std::string name = name_of(node);
  auto newcomer = node == ImportTree::root ? start_root() : grow_from_parent(node, now);
  if (!newcomer.has_value()) {
    const std::string reason = newcomer.error().message();
    population.note_failure(node, reason, steady_clock::now());
    return {.action = Tended::Action::failed, .zygote = name, .reason = reason};
  }
  const std::uint32_t its_generation = newcomer->generation;
  move_in(node, std::move(*newcomer), steady_clock::now());
  population.retire_older(node, its_generation);
  unstorable.erase(node);
  if (node == ImportTree::root) root_born = now;
  return {.action = action, .zygote = name, .reason = {}};
}

void ImportCache::Impl::add_stored(zygote::CacheState& state) const {
  state.stored_max = shelf->bytes_max();
  state.stored_bytes = shelf->bytes();
  const auto items = shelf->items();
  for (auto& node : state.nodes) {
    node.can_be_stored = !unstorable.contains(node.node);
    const auto item = items.find(node.node);
    if (item == items.end()) continue;
    node.stored =
        zygote::StoredState{.bytes = item->second.bytes,
                            .is_verified = item->second.is_verified,
                            .is_outdated = is_outdated(item->second),
                            .is_resting = zygote::Shelf::Clock::now() < item->second.rests_until};
  }
}

bool ImportCache::Impl::is_outdated(const zygote::Shelf::Item& item) const {
  return zygote::Shelf::Clock::now() - item.created >= spec.recycling.age_max ||
         item.forks >= spec.recycling.forks_max;
}

Tended ImportCache::Impl::verify(NodeId node) {
  const auto verified = shelf->verify(node);
  if (verified.has_value())
    return {.action = Tended::Action::stored, .zygote = name_of(node), .reason = {}};
  const bool rests = shelf->items().contains(node);
  return {.action = rests ? Tended::Action::failed : Tended::Action::dropped,
          .zygote = name_of(node),
          .reason = verified.error().message()};
}

// One that cannot be stored serves as long as it lives.
Tended ImportCache::Impl::store(NodeId node) {
  const std::string name = name_of(node);
  const auto replica = population.borrow(node);
  if (!replica) return nothing();
  const auto stored =
      shelf->store(node, zygote::identity_of(copy_tree(), node, spec.paths), replica->that.zygote);
  if (stored.has_value()) return {.action = Tended::Action::stored, .zygote = name, .reason = {}};
  unstorable.insert(node);
  return {.action = Tended::Action::failed, .zygote = name, .reason = stored.error().message()};
}

Result<Newcomer> ImportCache::Impl::start_root() {
  Zygote zygote = SOCK_TRY(domain->start_zygote());
  const ZygoteMemory memory = SOCK_TRY(zygote.memory());
  return Newcomer{.zygote = std::move(zygote),
                  .generation = ++generation,
                  .anonymous = memory.anonymous,
                  .own_memory = memory.anonymous};
}

Result<Newcomer> ImportCache::Impl::grow_from_parent(NodeId id, Time now) {
  const ImportTree current = copy_tree();
  const auto* node = current.find(id);
  if (node == nullptr || !node->parent.has_value())
    return base::refuse(Errc::not_found, Stage::import_modules, "a node", "it is not in the tree");
  const auto parent = population.borrow(*node->parent);
  if (!parent)
    return base::refuse(Errc::closed, Stage::import_modules, "its parent", "it has died");
  auto newcomer = import_within_allowance(parent->that.zygote, id, *node, now);
  if (!newcomer.has_value()) return newcomer;
  const ZygoteMemory memory = SOCK_TRY(newcomer->zygote.memory());
  newcomer->generation = parent->that.generation;
  newcomer->anonymous = memory.anonymous;
  newcomer->own_memory =
      memory.anonymous - std::min(memory.anonymous, parent->that.anonymous) + zygote_base_memory;
  return newcomer;
}

Result<Newcomer> ImportCache::Impl::import_within_allowance(Zygote& parent, NodeId id,
                                                            const ImportNode& node, Time now) {
  const zygote::ImportAllowance allowance{domain->container(), spec};
  auto newcomer = import_node(parent, id, node, now);
  // The kernel may have chosen others: what has cost their lives does not stay.
  if (newcomer.has_value() && allowance.was_exceeded())
    return base::refuse(Errc::exhausted, Stage::import_modules, node.name,
                        "it takes more memory than an import may");
  return newcomer;
}

// At once where everything is known and works; else one by one, to find out.
Result<Newcomer> ImportCache::Impl::import_node(Zygote& parent, NodeId id, const ImportNode& node,
                                                Time now) {
  const ImportCosts known = copy_costs();
  const zygote::PackageKnowledge knowledge{
      .costs = known, .paths = spec.paths, .modules = spec.modules};
  const bool all_known =
      !node.modules.empty() ||
      std::ranges::all_of(node.packages, [&](const Package& p) { return known.contains(p); });
  if (all_known) {
    auto zygote = parent.grow(zygote::imports_of(node, knowledge, spec.import_deadline));
    if (zygote.has_value()) {
      const ImportTime time = zygote->import_time();
      return Newcomer{.zygote = std::move(*zygote), .import_time = time};
    }
    if (!grown.contains(id) || node.packages.size() < 2) return std::unexpected(zygote.error());
  }
  auto done = SOCK_TRY(zygote::import_one_by_one(parent, node, knowledge, spec.import_deadline));
  learn(done.measured);
  if (!done.unfit.empty()) {
    replace_unfit(id, done.unfit, now);
    const auto& [package, reason] = done.unfit.front();
    return base::refuse(Errc::launch_failed, Stage::import_modules, package.to_string(), reason);
  }
  return Newcomer{.zygote = std::move(done.zygote), .import_time = done.import_time};
}

// Only where somebody may have to go: it stops the zygote for a moment.
void ImportCache::Impl::measure_private_memory() {
  const ImportTree current = copy_tree();
  const auto state =
      population.state(current, spec.memory_max, spec.replicas_max, steady_clock::now());
  // Pages that parked children share are freed with them.
  if (zygote::memory_in_use(state) <= spec.memory_max || spec.spares > 0) return;
  for (const auto& node : state.nodes) {
    const auto replica = population.borrow(node.node);
    if (!replica) continue;
    if (const auto memory = replica->that.zygote.memory(); memory.has_value())
      population.note_private_memory(node.node, memory->private_memory);
  }
}

void ImportCache::Impl::plan_next(Time now) const {
  Time at = root_born + spec.recycling.age_max;
  if (const auto rested = population.end_of_rest(now)) at = std::min(at, *rested);
  if (shelf != nullptr)
    for (const auto& [node, item] : shelf->items()) {
      const auto clock = zygote::Shelf::Clock::now();
      auto next = item.created + spec.recycling.age_max;
      if (item.rests_until > clock) next = std::min(next, item.rests_until);
      at = std::min(at, now + std::chrono::duration_cast<Time::duration>(next - clock));
    }
  static_cast<void>(sys::arm_timer(timer, at).has_value());
}

}  // namespace sock
