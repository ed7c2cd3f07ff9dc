// One container's group.

#include "isolation/cgroup/group.hpp"

#include "base/try.hpp"
#include "isolation/cgroup/events.hpp"
#include "isolation/cgroup/freezing.hpp"
#include "sys/file.hpp"

namespace sock::isolation {

Result<std::unique_ptr<LeafGroup>> LeafGroup::create(const GroupTraits& traits,
                                                     std::span<const UniqueFd> parents,
                                                     const std::string& name) {
  std::unique_ptr<LeafGroup> group{new LeafGroup{traits, name}};
  const auto make = [&]() -> Result<> {
    for (std::size_t i = 0; i < traits.choice.branches.size(); ++i) {
      Leaf& leaf = group->leaves_.emplace_back(parents[i], name);
      SOCK_TRY(leaf.create());
    }
    return group->open_joins();
  };
  auto made = base::in_stage(Stage::cgroup, make());
  if (made) return group;
  (void)group->remove();  // best effort: the pool's end removes the rest
  return std::unexpected(std::move(made).error());
}

Result<> LeafGroup::open_joins() {
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    // KERNEL: a thread that moves itself alone, as `tasks` has it, waits for nobody; a whole
    // process does, for a grace period of RCU (5.6 ms, not 0.03). Who joins is a single thread.
    const bool is_v1 = traits_.choice.branches[i].version == CgroupVersion::v1;
    const char* const file = is_v1 ? "tasks" : "cgroup.procs";
    joins_.push_back(SOCK_TRY(leaves_[i].keep(file, FileUse::write)).get());
  }
  if (traits_.clone_into) directory_ = SOCK_TRY(leaves_.front().open_directory(O_PATH));
  return {};
}

FdRef LeafGroup::clone_into() const noexcept {
  // KERNEL (6.12): what is cloned into a group in which cgroup.kill was ever written dies at once.
  return killed_ ? FdRef{} : directory_.ref();
}

std::span<const int> LeafGroup::join_fds() const noexcept {
  const std::span<const int> all{joins_};
  return clone_into() ? all.subspan(1) : all;
}

Result<std::size_t> LeafGroup::freezer() const {
  const auto branch = traits_.choice.find(Controller::freezer);
  if (branch) return *branch;
  return base::refuse(Errc::unsupported, Stage::pause, "freezing",
                      "no freezer is available to this Host");
}

Result<> LeafGroup::freeze(sys::Deadline deadline) {
  const std::size_t branch = SOCK_TRY(freezer());
  frozen_ = true;  // before it is: a failure in between must not be forgotten
  return isolation::freeze(traits_.choice.branches[branch].version, leaves_[branch], deadline);
}

Result<> LeafGroup::thaw() {
  const std::size_t branch = SOCK_TRY(freezer());
  SOCK_TRY(isolation::thaw(traits_.choice.branches[branch].version, leaves_[branch]));
  frozen_ = false;
  return {};
}

Result<> LeafGroup::kill_all(sys::Deadline deadline) {
  // Before it is: nobody may be cloned in between.
  const bool was_killed = killed_.exchange(traits_.kill_by == KillBy::cgroup_kill);
  // On v1 the anchor is the freezer, where there is one: a frozen group is thawed on the way.
  const UniqueFd group =
      SOCK_TRY(base::in_stage(Stage::kill, leaves_.front().open_directory(O_RDONLY)));
  const bool wrote = SOCK_TRY(empty_group(group, traits_.kill_by, deadline));
  killed_ = was_killed || wrote;
  return {};
}

Result<> LeafGroup::apply(const LimitWrite& write) {
  const auto branch = traits_.choice.find(write.controller);
  if (!branch) return {};
  auto written = leaves_[*branch].write(write.file, write.value);
  if (written) return {};
  if (write.absence == Absence::tolerated && written.error().code == Errc::not_found) return {};
  return std::unexpected(explain_refusal(std::move(written).error(), write));
}

void LeafGroup::undo(std::span<const LimitWrite> written) {
  for (std::size_t i = written.size(); i-- > 0;) {
    LimitWrite back = written[i];
    back.value = back.previous;
    if (!apply(back)) spoiled_ = true;
  }
}

Result<> LeafGroup::limit(const Resources& resources) {
  if (resources == limits_) return {};
  SOCK_TRY(check_limits(resources, traits_.limits));
  had_quota_ = had_quota_ || resources.cpu_quota;
  const std::vector<LimitWrite> writes = plan_limits(limits_, resources, traits_.limits);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    auto written = apply(writes[i]);
    if (written) continue;
    undo(std::span{writes}.first(i));
    return written;
  }
  limits_ = resources;
  return {};
}

Result<Stats> LeafGroup::stats() const {
  Stats stats;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Stats counted = SOCK_TRY(
        base::in_stage(Stage::stats, read_counters(traits_.choice.branches[i], leaves_[i])));
    merge(stats, counted);
  }
  if (!peak_is_known_) stats.memory_peak.reset();
  return since(stats, before_);
}

std::uint64_t LeafGroup::oom_kills() const {
  const auto branch = traits_.choice.find(Controller::memory);
  if (!branch) return 0;
  const auto now = read_oom_kills(traits_.choice.branches[*branch], leaves_[*branch]);
  return now ? since({.oom_kills = *now}, before_).oom_kills.value_or(0) : 0;
}

void LeafGroup::die_as_one(bool wanted) noexcept {
  const auto branch = traits_.choice.find(Controller::memory);
  if (!branch || traits_.choice.branches[*branch].version != CgroupVersion::v2) return;
  if (wanted == dies_as_one_) return;
  if (leaves_[*branch].write("memory.oom.group", wanted ? "1" : "0").has_value())
    dies_as_one_ = wanted;
}

Result<bool> LeafGroup::is_empty() const {
  const Leaf& anchor = leaves_.front();
  if (traits_.choice.branches.front().version == CgroupVersion::v1)
    // KERNEL: a v1 cgroup.procs that is kept open may show a list up to a second old.
    return SOCK_TRY(anchor.read_afresh("cgroup.procs"))
  .empty();
  const FdRef events = SOCK_TRY(anchor.keep("cgroup.events", FileUse::read));
  return event_holds(events, "populated", 0);
}

bool LeafGroup::recycle() {
  if (killed_ || spoiled_ || exposed_) return false;
  if (frozen_ && !thaw()) return false;
  die_as_one(false);
  if (dies_as_one_) return false;
  // What cannot have moved keeps the value in before_.
  const Throttling throttling = had_quota_ ? Throttling::possible : Throttling::ruled_out;
  peak_is_known_ = true;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Branch& branch = traits_.choice.branches[i];
    const auto counters = read_running_counters(branch, leaves_[i], throttling);
    if (!counters) return false;
    merge(before_, *counters);
    if (holds_memory(branch, leaves_[i]).value_or(true)) return false;
    if (!reset_peak(branch, leaves_[i])) peak_is_known_ = false;
  }
  had_quota_ = limits_.cpu_quota.has_value();  // it holds until the next user's limits do
  return true;
}

Result<> LeafGroup::remove() {
  directory_.reset();
  auto removed = remove_leaves();
  if (removed || !exposed_) return removed;
  kill_in_every_leaf();
  return remove_leaves();
}

// Who holds the descriptors may have entered one leaf and not the anchor.
void LeafGroup::kill_in_every_leaf() {
  constexpr std::chrono::milliseconds die_within{200};
  for (const Leaf& leaf : leaves_) {
    const auto directory = leaf.open_directory(O_RDONLY);
    if (directory)
      (void)empty_group(*directory, traits_.kill_by, std::chrono::steady_clock::now() + die_within);
  }
}

Result<> LeafGroup::remove_leaves() {
  Result<> result;
  for (Leaf& leaf : leaves_) {
    auto removed = leaf.remove();
    if (!removed) result = std::move(removed);
  }
  return result;
}

}  // namespace sock::isolation
