// A node's identity is the annotation of its snapshot.

#include "zygote/shelf.hpp"

#include <algorithm>
#include <iterator>

#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "base/try.hpp"
#include "sys/file.hpp"

namespace sock::zygote {
namespace {

constexpr std::size_t random_bytes = 8;
constexpr std::chrono::minutes store_deadline{1};
constexpr std::chrono::seconds rest{10};
constexpr unsigned most_failures = 3;

std::string running_kernel() {
  utsname name{};
  return ::uname(&name) == 0 ? name.release : "";
}

}  // namespace

std::string identity_of(const ImportTree& tree, NodeId node,
                        const std::map<Package, std::string>& paths) {
  auto packages = nlohmann::json::array();
  for (const auto& package : tree.imported(node)) {
    const auto path = paths.find(package);
    packages.push_back({package.to_string(), path != paths.end() ? path->second : ""});
  }
  // From the node to the root: the order in which they were imported, backwards.
  auto modules = nlohmann::json::array();
  for (const auto* at = tree.find(node); at != nullptr;
       at = at->parent.has_value() ? tree.find(*at->parent) : nullptr)
    modules.push_back(at->modules);
  constexpr auto replace = nlohmann::json::error_handler_t::replace;
  return nlohmann::json{{"packages", packages}, {"modules", modules}}.dump(-1, ' ', false, replace);
}

Shelf::Shelf(SnapshotStore store, const StoredZygotes& spec, const ZygoteDomainSpec& domain)
    : store_{std::move(store)}, bytes_max_{spec.bytes_max}, domain_{domain} {}

Result<std::unique_ptr<Shelf>> Shelf::open(const StoredZygotes& spec,
                                           const ZygoteDomainSpec& domain,
                                           std::chrono::seconds age_max) {
  auto store = SOCK_TRY(SnapshotStore::open({.directory = spec.directory}));
  std::unique_ptr<Shelf> shelf{new Shelf{std::move(store), spec, domain}};
  SOCK_TRY(shelf->store_.gc());
  const auto snapshots = SOCK_TRY(shelf->store_.list());
  shelf->find_earlier(snapshots, age_max);
  return shelf;
}

void Shelf::find_earlier(const std::vector<sock::Snapshot>& snapshots,
                         std::chrono::seconds age_max) {
  const std::string kernel = running_kernel();
  const auto now = Clock::now();
  for (const auto& snapshot : snapshots) {
    if (!is_ours(snapshot)) continue;
    const bool is_useless = snapshot.kernel != kernel || now - snapshot.created >= age_max;
    const bool is_double = std::ranges::any_of(
        unknown_, [&](const auto& other) { return other.identity == snapshot.annotation; });
    if (is_useless || is_double) {
      remove_from_disk(snapshot.name);
      continue;
    }
    unknown_.push_back({.name = snapshot.name,
                        .identity = snapshot.annotation,
                        .item = {.bytes = snapshot.bytes,
                                 .created = snapshot.created,
                                 .forks = 0,
                                 .is_verified = false,
                                 .failures = 0,
                                 .rests_until = {}}});
  }
}

// What limits the domain, or what it is called, is in no zygote.
bool Shelf::is_ours(const sock::Snapshot& snapshot) const {
  return snapshot.problem.empty() && snapshot.kind == sock::Snapshot::Kind::zygote &&
         snapshot.spec.rootfs == domain_.rootfs && snapshot.spec.argv == domain_.interpreter &&
         snapshot.spec.env == domain_.env;
}

std::map<NodeId, Shelf::Item> Shelf::items() const {
  const std::scoped_lock lock{mutex_};
  std::map<NodeId, Item> items;
  for (const auto& [node, snapshot] : snapshots_) items.emplace(node, snapshot.item);
  return items;
}

std::uint64_t Shelf::bytes() const {
  const std::scoped_lock lock{mutex_};
  std::uint64_t bytes = 0;
  for (const auto& [node, snapshot] : snapshots_) bytes += snapshot.item.bytes;
  for (const auto& snapshot : unknown_) bytes += snapshot.item.bytes;
  return bytes;
}

Shelf::Lease Shelf::borrow(NodeId node) const {
  const std::scoped_lock lock{mutex_};
  const auto found = snapshots_.find(node);
  return found != snapshots_.end() ? found->second.in_use : nullptr;
}

std::uint64_t Shelf::count_fork(NodeId node) {
  const std::scoped_lock lock{mutex_};
  const auto found = snapshots_.find(node);
  if (found == snapshots_.end()) return 0;
  found->second.item.failures = 0;
  return ++found->second.item.forks;
}

void Shelf::suspect(NodeId node, const Lease& lease) {
  const std::scoped_lock lock{mutex_};
  const auto found = snapshots_.find(node);
  if (found == snapshots_.end() || found->second.in_use != lease) return;
  found->second.in_use.reset();
  found->second.item.is_verified = false;
  ++found->second.item.failures;
}

void Shelf::recognise(const ImportTree& tree, const std::map<Package, std::string>& paths) {
  const std::scoped_lock lock{mutex_};
  if (unknown_.empty()) return;
  for (const auto& [node, description] : tree.nodes()) {
    if (node == ImportTree::root || snapshots_.contains(node)) continue;
    const auto found =
        std::ranges::find(unknown_, identity_of(tree, node, paths), &Snapshot::identity);
    if (found == unknown_.end()) continue;
    snapshots_.emplace(node, std::move(*found));
    unknown_.erase(found);
  }
}

Result<Shelf::Lease> Shelf::use(const std::string& name) {
  auto used = SOCK_TRY(store_.use(name));
  return std::make_shared<const SnapshotInUse>(std::move(used));
}

Result<> Shelf::verify(NodeId node) {
  std::string name;
  unsigned failures = 0;
  {
    const std::scoped_lock lock{mutex_};
    const auto found = snapshots_.find(node);
    if (found == snapshots_.end()) return {};
    name = found->second.name;
    failures = found->second.item.failures;
  }
  if (failures >= most_failures) {
    drop(node);
    return base::refuse(Errc::corrupt, Stage::restore, name, "it does not come back");
  }
  auto used = use(name);
  const bool is_useless = !used.has_value() && (used.error().code == Errc::corrupt ||
                                                used.error().code == Errc::unsupported ||
                                                used.error().code == Errc::not_found);
  if (is_useless) {
    drop(node);
    return std::unexpected(used.error());
  }
  const std::scoped_lock lock{mutex_};
  const auto found = snapshots_.find(node);
  if (found == snapshots_.end()) return {};
  if (!used.has_value()) {
    found->second.item.rests_until = Clock::now() + rest;
    return std::unexpected(used.error());
  }
  found->second.in_use = std::move(*used);
  found->second.item.is_verified = true;
  return {};
}

Result<> Shelf::store(NodeId node, const std::string& identity, Zygote& zygote) {
  const std::string number =
      SOCK_TRY(base::in_stage(Stage::checkpoint, sys::random_hex(random_bytes)));
  CheckpointOptions options{.name = "zygote-" + number, .deadline = store_deadline};
  options.annotation = identity;
  const auto written = SOCK_TRY(zygote.checkpoint(store_, options));
  auto used = use(written.name);
  if (!used.has_value()) {
    remove_from_disk(written.name);
    return std::unexpected(used.error());
  }
  drop(node);
  const std::scoped_lock lock{mutex_};
  snapshots_.emplace(node, Snapshot{.name = written.name,
                                    .identity = identity,
                                    .item = {.bytes = written.bytes,
                                             .created = written.created,
                                             .forks = 0,
                                             .is_verified = true,
                                             .failures = 0,
                                             .rests_until = {}},
                                    .in_use = std::move(*used)});
  return {};
}

void Shelf::drop(NodeId node) {
  std::string name;
  {
    const std::scoped_lock lock{mutex_};
    const auto found = snapshots_.find(node);
    if (found == snapshots_.end()) return;
    name = std::move(found->second.name);
    snapshots_.erase(found);
  }
  remove_from_disk(std::move(name));
}

bool Shelf::drop_unknown() {
  std::string name;
  {
    const std::scoped_lock lock{mutex_};
    if (unknown_.empty()) return false;
    const auto oldest = std::ranges::min_element(
        unknown_, {}, [](const Snapshot& snapshot) { return snapshot.item.created; });
    name = std::move(oldest->name);
    unknown_.erase(oldest);
  }
  remove_from_disk(std::move(name));
  return true;
}

void Shelf::forget(NodeId node) {
  const std::scoped_lock lock{mutex_};
  const auto found = snapshots_.find(node);
  if (found == snapshots_.end()) return;
  found->second.in_use.reset();
  found->second.item.is_verified = false;
  unknown_.push_back(std::move(found->second));
  snapshots_.erase(found);
}

// What cannot be removed, since it is in use for instance, is tried again with the next one; and
// what is left in the end, the next cache finds, or drops when it is too old.
void Shelf::remove_from_disk(std::string name) {
  std::vector<std::string> names;
  {
    const std::scoped_lock lock{mutex_};
    names = std::exchange(leaving_, {});
  }
  names.push_back(std::move(name));
  std::erase_if(names, [&](const std::string& each) {
    const auto removed = store_.remove(each);
    return removed.has_value() || removed.error().code == Errc::not_found;
  });
  const std::scoped_lock lock{mutex_};
  std::ranges::move(names, std::back_inserter(leaving_));
}

}  // namespace sock::zygote
