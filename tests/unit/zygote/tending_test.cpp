// Which step an import cache takes next.

#include "zygote/tending.hpp"

#include "trees.hpp"

namespace sock::zygote {
namespace {

using Kind = Step::Kind;
using sock::testing::grow;

constexpr std::uint64_t mib = 1UL << 20U;

/// root - numpy - pandas, and root - django.
class Tending : public ::testing::Test {
 protected:
  Tending() {
    numpy_ = grow(tree_, ImportTree::root, {"numpy==1"});
    pandas_ = grow(tree_, numpy_, {"pandas==2"});
    django_ = grow(tree_, ImportTree::root, {"django==3"});
    state_.memory_max = 1000 * mib;
    for (const auto node : {ImportTree::root, numpy_, pandas_, django_})
      state_.nodes.push_back({.node = node,
                              .use = {.node = node,
                                      .hits = 0,
                                      .import_time = ImportTime{100},
                                      .private_memory = {},
                                      .own_memory = 10 * mib}});
    at(ImportTree::root).replicas = 1;
  }
  NodeState& at(NodeId node) { return state_.nodes.at(node); }
  void live(NodeId node, double hits) {
    at(node).replicas = 1;
    at(node).use.hits = hits;
  }
  Step next() { return next_step(tree_, state_); }

  ImportTree tree_;
  CacheState state_;
  NodeId numpy_{};
  NodeId pandas_{};
  NodeId django_{};
};

TEST_F(Tending, DoesNothingWhileNobodyMissesAnything) {
  EXPECT_EQ(next(), Step{Kind::nothing});
  at(numpy_).misses = 0.1;  // Long ago.
  EXPECT_EQ(next(), Step{Kind::nothing});
}

TEST_F(Tending, OpensADeadDomainBeforeAnythingElse) {
  at(numpy_).misses = 5;
  state_.domain_lives = false;
  EXPECT_EQ(next(), Step{Kind::open_domain});
}

TEST_F(Tending, StartsTheRootUnlessItRests) {
  at(ImportTree::root).replicas = 0;
  EXPECT_EQ(next(), (Step{Kind::start, ImportTree::root}));
  at(ImportTree::root).resting = true;
  at(numpy_).misses = 5;
  EXPECT_EQ(next(), Step{Kind::nothing});
}

TEST_F(Tending, StartsAncestorsFirst) {
  at(pandas_).misses = 1;
  EXPECT_EQ(next(), (Step{Kind::start, numpy_}));
  live(numpy_, 0);
  EXPECT_EQ(next(), (Step{Kind::start, pandas_}));
}

TEST_F(Tending, StartsWhatSavesMost) {
  at(numpy_).misses = 2;
  at(django_).misses = 1;
  EXPECT_EQ(next(), (Step{Kind::start, numpy_}));
  at(django_).use.import_time = ImportTime{300};
  EXPECT_EQ(next(), (Step{Kind::start, django_}));
}

TEST_F(Tending, TriesWhatWasNeverMeasured) {
  at(django_).misses = 1;
  at(django_).use.import_time = {};
  EXPECT_EQ(next(), (Step{Kind::start, django_}));
}

TEST_F(Tending, DoesNotGoThroughARestingNode) {
  at(pandas_).misses = 9;
  at(numpy_).resting = true;
  EXPECT_EQ(next(), Step{Kind::nothing});
  at(django_).misses = 1;
  EXPECT_EQ(next(), (Step{Kind::start, django_}));
}

TEST_F(Tending, EvictsWhenTheBudgetIsExceeded) {
  live(numpy_, 10);
  live(django_, 1);
  state_.memory_max = 25 * mib;
  EXPECT_EQ(next(), (Step{Kind::evict, django_}));
}

TEST_F(Tending, MakesRoomOnlyForWhatIsWorthMore) {
  live(django_, 3);
  at(numpy_).misses = 2;
  state_.memory_max = 25 * mib;
  EXPECT_EQ(next(), Step{Kind::nothing});
  at(numpy_).misses = 4;
  EXPECT_EQ(next(), (Step{Kind::evict, django_}));
  at(django_).replicas = 0;
  EXPECT_EQ(next(), (Step{Kind::start, numpy_}));
}

TEST_F(Tending, NeverEvictsWhatTheNewOneIsMadeFrom) {
  live(numpy_, 0);
  at(pandas_).misses = 9;
  state_.memory_max = 25 * mib;
  EXPECT_EQ(next(), Step{Kind::nothing});
}

TEST_F(Tending, DoesNotStartWhatCanNeverFit) {
  at(django_).misses = 100;
  state_.memory_max = 15 * mib;
  EXPECT_EQ(next(), Step{Kind::nothing});
}

TEST_F(Tending, RenewsTheRootThenItsDescendantsParentsFirst) {
  for (const auto node : {ImportTree::root, numpy_, pandas_, django_}) {
    at(node).replicas = 1;
    at(node).generation = 1;
  }
  state_.recycling_due = true;
  EXPECT_EQ(next(), (Step{Kind::renew, ImportTree::root}));
  state_.recycling_due = false;
  at(ImportTree::root).generation = 2;
  EXPECT_EQ(next(), (Step{Kind::renew, numpy_}));
  at(numpy_).generation = 2;
  EXPECT_EQ(next(), (Step{Kind::renew, pandas_}));
  at(pandas_).resting = true;
  EXPECT_EQ(next(), (Step{Kind::renew, django_}));
}

TEST_F(Tending, KeepsAsManyReplicasAsAreWantedAndFit) {
  live(numpy_, 50);
  at(numpy_).replicas_wanted = 2;
  EXPECT_EQ(next(), (Step{Kind::replicate, numpy_}));
  state_.memory_max = 25 * mib;
  EXPECT_EQ(next(), Step{Kind::nothing});
  at(numpy_).replicas = 2;
  at(numpy_).replicas_wanted = 1;
  state_.memory_max = 1000 * mib;
  EXPECT_EQ(next(), (Step{Kind::shrink, numpy_}));
}

TEST_F(Tending, CountsEveryReplicaAsMemoryInUse) {
  live(numpy_, 1);
  at(numpy_).replicas = 3;
  EXPECT_EQ(memory_in_use(state_), 40 * mib);
}

TEST_F(Tending, StoresWhatLivesWhenNothingElseIsDue) {
  live(numpy_, 3);
  live(django_, 5);
  EXPECT_EQ(next(), Step{Kind::nothing});  // Nowhere to.
  state_.stored_max = 1000 * mib;
  EXPECT_EQ(next(), (Step{Kind::store, django_}));
  at(django_).stored = StoredState{.bytes = 20 * mib};
  at(numpy_).use.standing = ZygoteUse::Standing::busy;  // Forks come one after another.
  EXPECT_EQ(next(), (Step{Kind::store, numpy_}));
  at(numpy_).can_be_stored = false;
  EXPECT_EQ(next(), Step{Kind::nothing});
}

TEST_F(Tending, StoresBeforeItEvicts) {
  live(numpy_, 10);
  live(django_, 1);
  state_.memory_max = 25 * mib;
  state_.stored_max = 1000 * mib;
  EXPECT_EQ(next(), (Step{Kind::store, django_}));
  at(django_).stored = StoredState{.bytes = 20 * mib};
  EXPECT_EQ(next(), (Step{Kind::evict, django_}));
}

TEST_F(Tending, EvictsFirstWhatIsInASnapshot) {
  live(numpy_, 1);
  live(django_, 10);
  at(django_).stored = StoredState{.bytes = 20 * mib};
  state_.stored_max = 20 * mib;
  state_.stored_bytes = 20 * mib;
  state_.memory_max = 25 * mib;
  EXPECT_EQ(next(), (Step{Kind::evict, django_}));
}

TEST_F(Tending, StartsNothingThatIsServedFromASnapshot) {
  at(numpy_).misses = 9;
  at(numpy_).stored = StoredState{.bytes = mib};
  EXPECT_EQ(next(), Step{Kind::nothing});
  at(numpy_).stored->is_verified = false;
  EXPECT_EQ(next(), (Step{Kind::verify, numpy_}));
  at(numpy_).stored->is_resting = true;
  EXPECT_EQ(next(), (Step{Kind::start, numpy_}));
  at(numpy_).stored->is_outdated = true;
  EXPECT_EQ(next(), (Step{Kind::drop, numpy_}));
}

TEST_F(Tending, KeepsSnapshotsToTheirBudget) {
  at(numpy_).stored = StoredState{.bytes = 60 * mib};
  at(django_).stored = StoredState{.bytes = 60 * mib};
  at(django_).use.hits = 5;
  state_.stored_max = 100 * mib;
  state_.stored_bytes = 121 * mib;  // Some of it of nodes that the tree does not have.
  EXPECT_EQ(next(), Step{Kind::drop_unknown});
  state_.stored_bytes = 120 * mib;
  EXPECT_EQ(next(), (Step{Kind::drop, numpy_}));
}

// It is not started again while it can be read, and neither memory nor what is missed waits for it.
TEST_F(Tending, VerifiesWhatIsMissedFirst) {
  state_.stored_max = 100 * mib;
  at(numpy_).stored = StoredState{.bytes = mib, .is_verified = false};
  at(django_).stored = StoredState{.bytes = mib, .is_verified = false};
  at(django_).misses = 1;
  EXPECT_EQ(next(), (Step{Kind::verify, django_}));
  at(django_).stored->is_verified = true;
  EXPECT_EQ(next(), (Step{Kind::verify, numpy_}));
  live(pandas_, 1);
  state_.memory_max = 15 * mib;
  EXPECT_EQ(next().kind, Kind::store);  // Before it is evicted.
}

TEST_F(Tending, DropsSnapshotsOnlyForWhatIsWorthMore) {
  live(numpy_, 10);
  live(django_, 5);
  at(pandas_).stored = StoredState{.bytes = 90 * mib};
  at(pandas_).use.hits = 1;
  state_.stored_max = 100 * mib;
  state_.stored_bytes = 90 * mib;
  EXPECT_EQ(next(), Step{Kind::nothing});  // Nobody is about to go.
  state_.memory_max = 25 * mib;
  EXPECT_EQ(next(), (Step{Kind::drop, pandas_}));
  at(pandas_).use.hits = 1000;
  EXPECT_EQ(next(), (Step{Kind::evict, django_}));
  state_.stored_bytes = 95 * mib;  // Part of it is of nodes that the tree does not have.
  EXPECT_EQ(next(), Step{Kind::drop_unknown});
}

}  // namespace
}  // namespace sock::zygote
