// What is decided about living zygotes: growth, eviction, recycling, replicas. Figures in,
// decisions out.

#include "trees.hpp"
#include "zygote/decaying_count.hpp"
#include "zygote/eviction.hpp"
#include "zygote/growth.hpp"
#include "zygote/renewal.hpp"

namespace sock::zygote {
namespace {

using sock::testing::grow;
using sock::testing::package;
using sock::testing::packages;
using sock::testing::set_cost;

class Growth : public ::testing::Test {
 protected:
  Growth() {
    set_cost(costs_, "numpy==1", 50);
    set_cost(costs_, "pandas==2", 250);
    set_cost(costs_, "tiny==1", 0.2);
    costs_[package("stubs==1")] = {};
  }
  std::expected<ImportNode, NoGrowth> plan(std::initializer_list<std::string_view> declared,
                                           const GrowthLimits& limits = {}) {
    return plan_growth(tree_, costs_, packages(declared), limits);
  }
  ImportTree tree_;
  ImportCosts costs_;
};

TEST_F(Growth, AddsAChildOfTheBestMatchThatImportsTheRest) {
  const auto numpy = grow(tree_, ImportTree::root, {"numpy==1"});
  const auto node = plan({"pandas==2", "numpy==1", "stubs==1"});
  ASSERT_TRUE(node.has_value());
  EXPECT_EQ(node->parent, numpy);
  EXPECT_EQ(node->packages, packages({"pandas==2"}));
  EXPECT_EQ(node->modules, std::vector<std::string>{"pandas"});
  const auto added = tree_.add(*node);
  ASSERT_TRUE(added.has_value());
  EXPECT_EQ(plan({"pandas==2", "numpy==1"}).error(), NoGrowth::hit);
}

TEST_F(Growth, LeavesOutWhatIsNotWorthAZygote) {
  EXPECT_EQ(plan({"tiny==1"}).error(), NoGrowth::not_worth_it);
  EXPECT_TRUE(plan({"tiny==1", "never-measured==1"}).has_value());
  EXPECT_EQ(plan({"stubs==1"}).error(), NoGrowth::hit);
  EXPECT_EQ(plan({}).error(), NoGrowth::hit);
}

TEST_F(Growth, RefusesOnePackageInTwoVersions) {
  EXPECT_EQ(plan({"numpy==1", "numpy==2"}).error(), NoGrowth::contradicting);
  grow(tree_, ImportTree::root, {"numpy==1"});
  EXPECT_EQ(plan({"numpy==1", "numpy==2"}).error(), NoGrowth::contradicting);
}

TEST_F(Growth, StopsAtTheBoundsOfTheTree) {
  const auto numpy = grow(tree_, ImportTree::root, {"numpy==1"});
  EXPECT_EQ(plan({"numpy==1", "pandas==2"}, {.nodes = 2}).error(), NoGrowth::full);
  EXPECT_EQ(plan({"numpy==1", "pandas==2"}, {.depth = 1}).error(), NoGrowth::too_deep);
  EXPECT_EQ(plan({"numpy==1", "pandas==2"}, {.nodes = 3, .depth = 2})->parent, numpy);
}

constexpr std::uint64_t mib = 1U << 20U;

class Eviction : public ::testing::Test {
 protected:
  Eviction() {
    numpy_ = grow(tree_, ImportTree::root, {"numpy==1"});
    pandas_ = grow(tree_, numpy_, {"pandas==2"});
    requests_ = grow(tree_, ImportTree::root, {"requests==2"});
  }
  static ZygoteUse use(NodeId node, double hits, double ms, std::uint64_t memory) {
    return {.node = node,
            .hits = hits,
            .import_time = ImportTime{ms},
            .private_memory = memory,
            .own_memory = memory};
  }
  std::vector<NodeId> victims(const std::vector<ZygoteUse>& zygotes, std::uint64_t in_use,
                              std::uint64_t budget) {
    std::vector<NodeId> nodes;
    for (const auto& victim : plan_eviction(tree_, zygotes, in_use, budget))
      nodes.push_back(victim.node);
    return nodes;
  }
  ImportTree tree_;
  NodeId numpy_ = 0;
  NodeId pandas_ = 0;
  NodeId requests_ = 0;
};

TEST_F(Eviction, EndsNothingWithinTheBudget) {
  EXPECT_TRUE(victims({use(requests_, 0, 10, mib)}, 8 * mib, 8 * mib).empty());
}

TEST_F(Eviction, EndsWhatSavesLeastForItsMemory) {
  // Equal sizes: 5 hits of 10 ms are less than one of 250 ms.
  EXPECT_EQ(victims({use(pandas_, 1, 250, mib), use(requests_, 5, 10, mib)}, 2 * mib, mib),
            std::vector{requests_});
  // The same savings: the one that frees more.
  EXPECT_EQ(
      victims({use(pandas_, 1, 250, 9 * mib), use(requests_, 25, 10, mib)}, 10 * mib, 9 * mib),
      std::vector{pandas_});
}

TEST_F(Eviction, FindsVictimsEvenWhenNoSizeWasEverMeasured) {
  auto pandas = use(pandas_, 10, 250, 0);
  auto requests = use(requests_, 10, 10, 0);
  for (auto* zygote : {&pandas, &requests}) {
    zygote->private_memory.reset();
    EXPECT_EQ(victims({pandas, requests}, mib + 1, mib).size(), 1U);
  }
  EXPECT_EQ(victims({pandas, requests}, mib + 1, mib), std::vector{requests_});
}

TEST_F(Eviction, EndsChildrenBeforeTheirParents) {
  EXPECT_EQ(victims({use(numpy_, 0, 50, mib), use(pandas_, 100, 250, mib)}, 2 * mib, 0),
            (std::vector{pandas_, numpy_}));
}

TEST_F(Eviction, CreditsHitsToTheParentThatServesThemNext) {
  // numpy itself was never forked from, but pandas' hits come to it: it outlives requests.
  EXPECT_EQ(victims({use(numpy_, 0, 50, mib), use(pandas_, 1, 10, mib), use(requests_, 2, 10, mib)},
                    3 * mib, 1 * mib),
            (std::vector{pandas_, requests_}));
}

TEST_F(Eviction, KnowsThatSharedPagesComeFreeWithTheLastChild) {
  auto numpy = use(numpy_, 1, 50, 1 * mib);
  numpy.own_memory = 20 * mib;  // most of it shared with pandas
  const auto planned =
      plan_eviction(tree_, std::vector{numpy, use(pandas_, 1, 1, 2 * mib)}, 30 * mib, 8 * mib);
  ASSERT_EQ(planned.size(), 2U);
  EXPECT_EQ(planned[0].frees, 2 * mib);
  EXPECT_EQ(planned[1].frees, 20 * mib);
}

TEST_F(Eviction, SparesTheRootAndWhatIsBusy) {
  auto busy = use(pandas_, 0, 1, mib);
  busy.standing = ZygoteUse::Standing::busy;
  // numpy is not a leaf while pandas lives.
  EXPECT_EQ(victims({use(ImportTree::root, 0, 0, mib), use(numpy_, 0, 50, mib), busy,
                     use(requests_, 9, 99, mib)},
                    100 * mib, 0),
            std::vector{requests_});
}

TEST_F(Eviction, TakesNodesThatAreNotAliveAsAbsent) {
  EXPECT_EQ(victims({use(numpy_, 1, 50, mib), use(77, 0, 0, mib)}, 2 * mib, 0),
            std::vector{numpy_});
}

TEST(DecayingCount, HalvesWithEachHalfLife) {
  using std::chrono::seconds;
  const DecayingCount::Time start{};
  DecayingCount count{seconds{10}};
  count.add(start, 8);
  EXPECT_DOUBLE_EQ(count.at(start + seconds{10}), 4);
  EXPECT_DOUBLE_EQ(count.at(start + seconds{30}), 1);
  count.add(start + seconds{10});
  EXPECT_DOUBLE_EQ(count.at(start + seconds{10}), 5);
  EXPECT_DOUBLE_EQ(count.at(start), 5);  // a clock read before, reported later
}

TEST(DecayingCount, SettlesAtTheRateOfASteadyStream) {
  DecayingCount count{std::chrono::seconds{10}};
  DecayingCount::Time now{};
  for (int i = 0; i < 20'000; ++i) count.add(now += std::chrono::milliseconds{10});
  EXPECT_NEAR(count.rate(now), 100, 1);
}

TEST(Recycling, TakesTheMostOverdueAndLeavesTheOthersServing) {
  using std::chrono::seconds;
  const std::vector<Recyclable> all{{.id = 1, .age = seconds{59}, .forks = 9},
                                    {.id = 2, .age = seconds{61}, .forks = 0},
                                    {.id = 3, .age = seconds{0}, .forks = 30}};
  const RecyclingLimits limits{.age = seconds{60}, .forks = 10};
  EXPECT_EQ(due_for_recycling(all, limits), std::vector<std::uint32_t>{3});
  EXPECT_EQ(due_for_recycling(all, {.age = seconds{60}, .forks = 10, .at_once = 5}),
            (std::vector<std::uint32_t>{3, 2}));
  EXPECT_TRUE(due_for_recycling(all, {}).empty());
  EXPECT_EQ(due_for_recycling(all, {.age = seconds{0}, .at_once = 9}).size(), 3U);
}

TEST(Replicas, KeepTheWaitBelowTheForkItself) {
  const auto replicas = [](double rate, std::size_t now, std::size_t most = 8) {
    return replicas_for(
        {.forks_per_second = rate, .fork_time = std::chrono::milliseconds{1}, .replicas = now},
        most);
  };
  EXPECT_EQ(replicas(0, 1), 1U);
  EXPECT_EQ(replicas(600, 1), 1U);
  EXPECT_EQ(replicas(700, 1), 2U);  // beyond two thirds
  EXPECT_EQ(replicas(2'100, 1), 4U);
  EXPECT_EQ(replicas(1e9, 1), 8U);
  EXPECT_EQ(replicas(700, 0, 0), 1U);
}

TEST(Replicas, ShrinkWithSlackAndIgnoreNonsense) {
  const auto replicas = [](double rate, std::size_t now) {
    return replicas_for(
        {.forks_per_second = rate, .fork_time = std::chrono::milliseconds{1}, .replicas = now}, 8);
  };
  EXPECT_EQ(replicas(600, 2), 2U);  // one would do, but barely
  EXPECT_EQ(replicas(300, 2), 1U);
  EXPECT_EQ(replicas(0, 5), 1U);
  EXPECT_EQ(replicas(std::nan(""), 3), 3U);
  EXPECT_EQ(replicas(-1, 3), 3U);
}

}  // namespace
}  // namespace sock::zygote
