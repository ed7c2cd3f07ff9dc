// The pool: a free list of prepared groups, and a list of those that the kernel did not yet let go
// of. A group never leaves its instance's directory, so removing that directory removes them all.

#include "isolation/cgroup/pool.hpp"

#include <algorithm>
#include <mutex>

#include <unistd.h>

#include "base/try.hpp"
#include "isolation/cgroup/group.hpp"
#include "isolation/cgroup/instance_directory.hpp"
#include "isolation/cgroup/removal.hpp"

namespace sock::isolation {
namespace {

using std::chrono::steady_clock;

/// For what a container leaves behind when its handle goes. With a pid namespace, nothing.
constexpr std::chrono::seconds leftovers_die_within{1};
constexpr std::chrono::seconds pool_ends_within{2};

}  // namespace

struct CgroupPool::Impl {
  GroupTraits traits;
  std::string name;  // of this Host's directory in each hierarchy
  std::size_t reserve = 0;
  bool prepared = false;
  std::vector<UniqueFd> directories = {};  // in the branches' order
  // A copy of the program made by fork() must not touch what its parent still uses.
  const pid_t owner = ::getpid();

  std::mutex mutex = {};  // guards what follows
  std::vector<std::unique_ptr<LeafGroup>> free = {};
  std::vector<std::unique_ptr<LeafGroup>> dying = {};
  std::uint64_t next = 0;  // numbers are not used twice: a dying group keeps its name

  Result<std::unique_ptr<LeafGroup>> make_group();
  [[nodiscard]] bool is_foreign() const noexcept { return ::getpid() != owner; }
  std::unique_ptr<LeafGroup> find_free();
  void give_back(std::unique_ptr<LeafGroup> group);
  void remove_dying();

 private:
  void replace();
  bool is_full();
  bool keep(std::unique_ptr<LeafGroup>& group);
  void remove_or_keep_trying(std::unique_ptr<LeafGroup> group);
};

Result<std::unique_ptr<LeafGroup>> CgroupPool::Impl::make_group() {
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock{mutex};
    number = next++;
  }
  std::string leaf = "c";
  leaf.append(std::to_string(number));
  return LeafGroup::create(traits, directories, leaf);
}

std::unique_ptr<LeafGroup> CgroupPool::Impl::find_free() {
  const std::scoped_lock lock{mutex};
  if (free.empty()) return nullptr;
  std::unique_ptr<LeafGroup> group = std::move(free.back());
  free.pop_back();
  return group;
}

/// Spares a group the making ready that it does not need. keep() decides.
bool CgroupPool::Impl::is_full() {
  const std::scoped_lock lock{mutex};
  return free.size() >= reserve;
}

/// True when the group went to the free list.
bool CgroupPool::Impl::keep(std::unique_ptr<LeafGroup>& group) {
  const std::scoped_lock lock{mutex};
  if (free.size() >= reserve) return false;
  free.push_back(std::move(group));
  return true;
}

void CgroupPool::Impl::remove_or_keep_trying(std::unique_ptr<LeafGroup> group) {
  if (group->remove()) return;
  const std::scoped_lock lock{mutex};
  dying.push_back(std::move(group));
}

void CgroupPool::Impl::give_back(std::unique_ptr<LeafGroup> group) {
  if (is_foreign()) return;  // only descriptors are closed
  auto empty = group->is_empty();
  if (!empty || !*empty)
    empty = group->kill_all(steady_clock::now() + leftovers_die_within).has_value();
  if (*empty && !is_full() && group->recycle() && keep(group)) return;
  const bool exposed = group->is_exposed();
  remove_or_keep_trying(std::move(group));
  if (exposed) replace();
}

/// So that whoever comes next need not wait for one to be made.
void CgroupPool::Impl::replace() {
  if (is_full()) return;
  auto fresh = make_group();
  if (fresh && !keep(*fresh)) remove_or_keep_trying(*std::move(fresh));
}

void CgroupPool::Impl::remove_dying() {
  std::vector<std::unique_ptr<LeafGroup>> candidates;
  {
    const std::scoped_lock lock{mutex};
    candidates.swap(dying);
  }
  for (auto& group : candidates) remove_or_keep_trying(std::move(group));
}

CgroupPool::CgroupPool(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}

CgroupPool::~CgroupPool() {
  if (impl_->is_foreign()) return;
  // What is left, and what the kernel did not let go of, goes with the directories below.
  for (const auto& group : impl_->free) (void)group->remove();
  impl_->free.clear();
  impl_->dying.clear();
  impl_->directories.clear();
  if (!impl_->prepared) return;
  const auto deadline = steady_clock::now() + pool_ends_within;
  // A failure stays recorded on disk, and the janitor tries again.
  for (const std::string& directory : directories()) (void)remove_cgroup_tree(directory, deadline);
}

Result<std::unique_ptr<CgroupPool>> CgroupPool::plan(const CgroupOptions& options,
                                                     const KernelFeatures& kernel,
                                                     const std::string& instance) {
  constexpr std::size_t most_prepared = 4096;
  if (options.reserve > most_prepared)
    return base::refuse(Errc::invalid_spec, Stage::validate, "cgroup.reserve",
                        "at most 4096 prepared groups");
  BackendChoice choice;
  if (options.backend != CgroupBackend::none) {
    const Layout layout = SOCK_TRY(base::in_stage(Stage::cgroup, read_layout(options.parent)));
    choice = SOCK_TRY(choose_backend(layout, options.backend));
  }
  const LimitFiles limits = limit_files(choice);
  const bool has_v2 =
      !choice.branches.empty() && choice.branches.front().version == CgroupVersion::v2;
  auto impl = std::make_unique<Impl>();
  impl->traits = {.choice = std::move(choice),
                  .limits = limits,
                  .kill_by = kernel.cgroup_kill ? KillBy::cgroup_kill : KillBy::signals,
                  .clone_into = has_v2 && kernel.clone_into_cgroup};
  impl->name = "sock-" + instance;
  impl->reserve = options.reserve;
  return std::unique_ptr<CgroupPool>{new CgroupPool{std::move(impl)}};
}

std::vector<std::string> CgroupPool::directories() const {
  std::vector<std::string> directories;
  for (const Branch& branch : impl_->traits.choice.branches)
    directories.push_back(branch.parent + "/" + impl_->name);
  return directories;
}

Result<> CgroupPool::prepare() {
  impl_->prepared = true;
  for (const Branch& branch : impl_->traits.choice.branches)
    impl_->directories.push_back(SOCK_TRY(make_instance_directory(branch, impl_->name)));
  if (impl_->directories.empty()) return {};
  for (std::size_t i = 0; i < impl_->reserve; ++i) {
    auto group = impl_->make_group();
    // Few descriptors or groups allowed: a smaller reserve is no failure.
    if (!group && group.error().code == Errc::exhausted) return {};
    if (!group) return std::unexpected(std::move(group).error());
    impl_->free.push_back(std::move(*group));
  }
  // c0 is taken first.
  std::reverse(impl_->free.begin(), impl_->free.end());
  return {};
}

CgroupBackend CgroupPool::backend() const noexcept {
  return impl_->traits.choice.backend;
}

struct Cgroup::Group {
  std::unique_ptr<LeafGroup> leaves;
};

Result<Cgroup> CgroupPool::take(const Resources& resources) {
  if (impl_->directories.empty()) {
    SOCK_TRY(check_limits(resources, impl_->traits.limits));
    return Cgroup{};
  }
  impl_->remove_dying();
  std::unique_ptr<LeafGroup> leaves = impl_->find_free();
  if (!leaves) leaves = SOCK_TRY(impl_->make_group());
  Cgroup cgroup{this, std::make_unique<Cgroup::Group>(std::move(leaves))};
  SOCK_TRY(cgroup.limit(resources));
  return cgroup;
}

Cgroup::Cgroup() noexcept : pool_{nullptr} {}
Cgroup::Cgroup(CgroupPool* pool, std::unique_ptr<Group> group) noexcept
    : pool_{pool}, group_{std::move(group)} {}
Cgroup::Cgroup(Cgroup&&) noexcept = default;

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  Cgroup taken{std::move(other)};  // and what was held goes back now
  std::swap(pool_, taken.pool_);
  std::swap(group_, taken.group_);
  return *this;
}

Cgroup::~Cgroup() {
  if (group_) pool_->impl_->give_back(std::move(group_->leaves));
}

FdRef Cgroup::clone_into() const noexcept {
  return group_ ? group_->leaves->clone_into() : FdRef{};
}

std::span<const int> Cgroup::join_fds() const noexcept {
  return group_ ? group_->leaves->join_fds() : std::span<const int>{};
}

void Cgroup::die_as_one(bool wanted) noexcept {
  if (group_) group_->leaves->die_as_one(wanted);
}

void Cgroup::expose() noexcept {
  if (group_) group_->leaves->expose();
}

Result<> Cgroup::freeze(steady_clock::time_point deadline) {
  if (group_) return group_->leaves->freeze(deadline);
  return base::refuse(Errc::unsupported, Stage::pause, "freezing", "it needs cgroups");
}

Result<> Cgroup::thaw() {
  if (group_) return group_->leaves->thaw();
  return base::refuse(Errc::unsupported, Stage::resume, "thawing", "it needs cgroups");
}

Result<> Cgroup::kill_all(steady_clock::time_point deadline) {
  return group_ ? group_->leaves->kill_all(deadline) : Result<>{};
}

Result<> Cgroup::limit(const Resources& resources) {
  return group_ ? group_->leaves->limit(resources) : check_limits(resources, {});
}

Result<Stats> Cgroup::stats() const {
  return group_ ? group_->leaves->stats() : Result<Stats>{Stats{}};
}

std::uint64_t Cgroup::oom_kills() const {
  return group_ ? group_->leaves->oom_kills() : 0;
}

}  // namespace sock::isolation
