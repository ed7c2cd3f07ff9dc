// Planned trees: what they must be on small workloads, and Forklift's own tree as the one to beat.

#include "trees.hpp"

namespace sock {
namespace {

using testing::function;
using testing::package;
using testing::packages;
using testing::set_cost;

class Planner : public ::testing::Test {
 protected:
  Planner() {
    set_cost(costs_, "numpy==1", 50, 10 << 20);
    set_cost(costs_, "pandas==2", 250, 20 << 20);
    set_cost(costs_, "requests==2", 10, 1 << 20);
    set_cost(costs_, "rare==1", 5, 1 << 20);
  }
  ImportTree plan(const std::vector<WorkloadFunction>& workload, PlanOptions options) {
    auto tree = plan_import_tree(costs_, workload, options);
    EXPECT_TRUE(tree.has_value()) << tree.error().message();
    return tree.has_value() ? *tree : ImportTree{};
  }
  ImportCosts costs_;
};

TEST_F(Planner, GivesTheOnlyNodeNoPackages) {
  const auto tree = plan({function({"numpy==1"})}, {.nodes = 1});
  EXPECT_EQ(tree.nodes().size(), 1U);
  EXPECT_TRUE(tree.imported(ImportTree::root).empty());
}

TEST_F(Planner, SpendsItsFirstNodeWhereMostTimeIsSaved) {
  const auto tree =
      plan({function({"numpy==1", "pandas==2"}, 10), function({"requests==2"}, 20)}, {.nodes = 2});
  ASSERT_EQ(tree.nodes().size(), 2U);
  EXPECT_EQ(tree.imported(1), packages({"numpy==1", "pandas==2"}));
  EXPECT_EQ(tree.find(NodeId{1})->modules, (std::vector<std::string>{"numpy", "pandas"}));
}

TEST_F(Planner, HangsASetBelowTheOneItSharesMostWith) {
  const auto tree =
      plan({function({"numpy==1"}, 10), function({"numpy==1", "pandas==2"}, 10)}, {.nodes = 3});
  const auto match = tree.best_match(packages({"numpy==1", "pandas==2"}), costs_);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(tree.find(match->node)->packages, packages({"pandas==2"}));
  EXPECT_EQ(tree.depth(match->node), 2U);
}

TEST_F(Planner, PreparesForFunctionsThatWereNotSeen) {
  // Nobody declares requests without numpy or pandas, but somebody may.
  const auto tree = plan({function({"numpy==1", "requests==2"}, 5), function({"numpy==1"}, 5),
                          function({"pandas==2", "requests==2"}, 5)},
                         {.nodes = 8});
  const auto match = tree.best_match(packages({"requests==2", "rare==1"}), costs_);
  ASSERT_TRUE(match.has_value());
  EXPECT_DOUBLE_EQ(match->saved.count(), 10);
}

TEST_F(Planner, KeepsWithinItsMemory) {
  const std::vector<WorkloadFunction> workload{function({"numpy==1", "pandas==2"}, 2),
                                               function({"numpy==1"}, 1),
                                               function({"requests==2"}, 3)};
  for (const std::uint64_t megabytes : {1U, 4U, 16U, 40U, 64U}) {
    const auto tree = plan(workload, {.nodes = 10, .memory_max = megabytes << 20U});
    EXPECT_LE(forecast(tree, costs_, workload).memory, megabytes << 20U);
  }
  EXPECT_EQ(plan(workload, {.nodes = 10, .memory_max = 1U << 20U}).nodes().size(), 1U);
  EXPECT_EQ(plan(workload, {.nodes = 10, .memory_max = 4U << 20U}).nodes().size(), 2U);
  EXPECT_EQ(plan_import_tree(costs_, workload, {.nodes = 1, .memory_max = 0}).error().code,
            Errc::exhausted);
}

TEST_F(Planner, LeavesOutWhatCostsNothing) {
  costs_[package("typing-stubs==1")] = {};
  const auto tree = plan({function({"numpy==1", "typing-stubs==1"})}, {.nodes = 2});
  EXPECT_EQ(tree.imported(1), packages({"numpy==1"}));
}

TEST_F(Planner, TakesInWhatWasNeverMeasuredButMayBeImported) {
  // Every function with numpy declares it, so importing numpy may import it too.
  const auto tree = plan({function({"numpy==1", "unmeasured==1"})}, {.nodes = 2});
  EXPECT_EQ(tree.imported(1), packages({"numpy==1", "unmeasured==1"}));
}

TEST_F(Planner, TakesAnEmptyWorkloadAndOneOfUnknownPackages) {
  EXPECT_EQ(plan({}, {.nodes = 5}).nodes().size(), 1U);
  EXPECT_EQ(plan({function({"unknown==1"}), function({})}, {.nodes = 5}).nodes().size(), 1U);
  EXPECT_EQ(plan({function({"numpy==1"}, 0)}, {.nodes = 5}).nodes().size(), 1U);
}

TEST_F(Planner, RefusesNoNodesAndTooMany) {
  EXPECT_FALSE(plan_import_tree(costs_, {}, {.nodes = 0}).has_value());
  EXPECT_FALSE(plan_import_tree(costs_, {}, {.nodes = ImportTree::most_nodes + 1}).has_value());
}

using Functions = std::vector<WorkloadFunction>;

// Fitted on w1 and judged on w2, as in the paper. Forklift's trees were fitted on the same w1.
class Forklift : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    costs_ = parse_import_costs(testing::forklift_file("packages.json")).value_or(ImportCosts{});
    w1_ = parse_workload(testing::forklift_file("w1.json")).value_or(Functions{});
    w2_ = parse_workload(testing::forklift_file("w2.json")).value_or(Functions{});
  }
  void SetUp() override {
    ASSERT_EQ(costs_.size(), 427U);
    ASSERT_EQ(w1_.size(), 880U);
    ASSERT_EQ(w2_.size(), 881U);
  }
  static ImportForecast ours(std::size_t nodes, std::optional<std::uint64_t> memory = {}) {
    const auto tree = plan_import_tree(costs_, w1_, {.nodes = nodes, .memory_max = memory});
    EXPECT_TRUE(tree.has_value());
    EXPECT_LE(tree->nodes().size(), nodes);
    return forecast(*tree, costs_, w2_);
  }
  static ImportForecast theirs(std::size_t nodes) {
    const auto tree = ImportTree::parse_openlambda(
        testing::forklift_file("tree-v3.node-" + std::to_string(nodes) + ".json"));
    EXPECT_TRUE(tree.has_value());
    EXPECT_LE(tree->nodes().size(), nodes);
    return forecast(*tree, costs_, w2_);
  }
  inline static ImportCosts costs_;
  inline static Functions w1_;
  inline static Functions w2_;
};

TEST_F(Forklift, IsBeatenOnTheUnseenWorkload) {
  for (const std::size_t nodes : {40U, 120U, 640U}) {
    EXPECT_LT(ours(nodes).remaining, theirs(nodes).remaining) << nodes;
    EXPECT_LT(ours(nodes).remaining_named, theirs(nodes).remaining_named) << nodes;
  }
}

TEST_F(Forklift, IsBeatenInNoMoreMemory) {
  for (const std::size_t nodes : {40U, 120U, 640U}) {
    const auto published = theirs(nodes);
    const auto planned = ours(nodes, published.memory);
    EXPECT_LE(planned.memory, published.memory) << nodes;
    EXPECT_LT(planned.remaining, published.remaining) << nodes;
  }
}

TEST_F(Forklift, CannotBeBeatenWithOneNode) {
  // A root that has imported anything would be of no use to those who did not declare it.
  EXPECT_EQ(ours(1).remaining, theirs(1).remaining);
}

TEST_F(Forklift, GivesTheSameTreeEveryTime) {
  const auto tree = plan_import_tree(costs_, w1_, {.nodes = 120});
  const auto again = plan_import_tree(costs_, w1_, {.nodes = 120});
  ASSERT_TRUE(tree.has_value() && again.has_value());
  EXPECT_EQ(tree->to_json(), again->to_json());
}

}  // namespace
}  // namespace sock
