// Costs and workloads from files, and what a tree is predicted to save.

#include "trees.hpp"

namespace sock {
namespace {

using testing::function;
using testing::grow;
using testing::package;
using testing::packages;
using testing::set_cost;

TEST(ImportCosts, AreReadFromForkliftsForm) {
  const auto costs = parse_import_costs(
      R"({"Foo_Bar":{"versions":{"1.0":{"top":["foo"],"cost":{"ms":2.5,"mb":2,"i-ms":9}},
                                 "2.0":{"top":[],"cost":{"ms":-0.1}}, "3.0":{}}}})");
  ASSERT_TRUE(costs.has_value()) << costs.error().message();
  const auto& cost = costs->at(package("foo-bar==1.0"));
  EXPECT_DOUBLE_EQ(cost.time.count(), 2.5);
  EXPECT_EQ(cost.memory, 2U << 20U);
  EXPECT_EQ(cost.modules, std::vector<std::string>{"foo"});
  EXPECT_EQ(costs->at(package("foo-bar==2.0")).time, ImportTime{});
  EXPECT_EQ(costs->at(package("foo-bar==3.0")).time, ImportTime{});
}

TEST(ImportCosts, RefuseWhatIsNoCost) {
  for (const auto* text :
       {"[]", "{", R"({"a":7})", R"({"a":{"versions":[]}})", R"({"a":{"versions":{"1":7}}})",
        R"({"a":{"versions":{"1":{"cost":{"ms":"9"}}}}})",
        R"({"a":{"versions":{"1":{"cost":{"ms":1e300}}}}})", R"({"a b":{"versions":{"1":{}}}})",
        R"({"a":{"versions":{"1":{"top":[1]}}}})"}) {
    const auto costs = parse_import_costs(text);
    ASSERT_FALSE(costs.has_value()) << text;
    EXPECT_EQ(costs.error().code, Errc::corrupt) << text;
  }
}

TEST(Workload, IsReadFromRequirementsFiles) {
  const auto workload = parse_workload(
      R"({"funcs":[{"name":"f","meta":{"import_mods":["yaml"],"requirements_txt":
      "# made by pip-compile\n  PyYAML==6.0.1\n    # via -r x.in\nidna==3.4 ; python_version>'3'\n--hash=x\ngit+ssh://x\nnumpy>=1\nrequests[socks]==2.31.0 \\\n"}},
      {"name":"g","meta":{}}], "calls":[{"name":"f"},{"name":"f"}]})");
  ASSERT_TRUE(workload.has_value()) << workload.error().message();
  ASSERT_EQ(workload->size(), 2U);
  EXPECT_EQ(workload->front().requirements,
            packages({"pyyaml==6.0.1", "idna==3.4", "requests==2.31.0"}));
  EXPECT_EQ(workload->front().modules, std::vector<std::string>{"yaml"});
  EXPECT_EQ(workload->front().calls, 2);
  EXPECT_EQ(workload->back().calls, 0);
}

TEST(Workload, RefusesWhatIsNoWorkload) {
  for (const auto* text :
       {"[]", R"({"funcs":7})", R"({"funcs":[7]})", R"({"funcs":[{"name":"f"}]})",
        R"({"funcs":[],"calls":[{"name":"f"}]})", R"({"funcs":[],"calls":7})"}) {
    const auto workload = parse_workload(text);
    ASSERT_FALSE(workload.has_value()) << text;
    EXPECT_EQ(workload.error().code, Errc::corrupt) << text;
  }
}

TEST(Forecast, CountsWhatTheBestMatchHasNotImported) {
  ImportCosts costs;
  set_cost(costs, "numpy==1", 50, 1000);
  set_cost(costs, "pandas==2", 250, 2000);
  ImportTree tree;
  grow(tree, ImportTree::root, {"numpy==1"});
  auto named = function({"numpy==1", "pandas==2"}, 2);
  named.modules = {"numpy"};
  const std::vector<WorkloadFunction> workload{named, function({"numpy==1"}),
                                               function({"unknown==1"})};
  const auto total = forecast(tree, costs, workload);
  EXPECT_DOUBLE_EQ(total.calls, 4);
  EXPECT_DOUBLE_EQ(total.without_tree.count(), 650);
  EXPECT_DOUBLE_EQ(total.remaining.count(), 500);
  EXPECT_DOUBLE_EQ(total.remaining_named.count(), 0);  // it names numpy alone
  EXPECT_DOUBLE_EQ(total.complete, 2);
  EXPECT_EQ(total.memory, 2 * zygote_base_memory + 1000);
}

}  // namespace
}  // namespace sock
