// Packages, the invariants of import trees, and looking up the zygote to fork from.

#include "trees.hpp"

namespace sock {
namespace {

using testing::grow;
using testing::package;
using testing::packages;
using testing::set_cost;

TEST(Package, IsOneUnderAllSpellingsOfItsName) {
  EXPECT_EQ(package("Typing_Extensions==4.7.1"), package("typing-extensions==4.7.1"));
  EXPECT_EQ(package("zope.interface==6.0"), package("zope-._interface==6.0"));
  EXPECT_EQ(package("requests[socks]==2.31.0"), package("requests==2.31.0"));
}

TEST(Package, DiffersFromItsOtherVersions) {
  EXPECT_NE(package("numpy==1.26.0"), package("numpy==1.26"));
  EXPECT_NE(package("numpy==1.26.0"), package("numpy"));
  EXPECT_EQ(package("numpy==1.26.0").to_string(), "numpy==1.26.0");
}

TEST(Package, IsNotReadFromAnythingElse) {
  for (const auto* text :
       {"", "==1", "numpy==", "numpy>=1.2", "numpy==1.*", "nu mpy==1", "-numpy==1", "numpy-==1",
        "numpy==1 ; python_version<'3'", "git+https://host/x", "numpy==1\n", "n\xc3\xa4==1"})
    EXPECT_FALSE(Package::parse(text).has_value()) << text;
  EXPECT_FALSE(Package::parse(std::string(200, 'a')).has_value());
}

TEST(ImportTree, BeginsWithABareInterpreter) {
  const ImportTree tree;
  ASSERT_EQ(tree.nodes().size(), 1U);
  EXPECT_TRUE(tree.imported(ImportTree::root).empty());
}

TEST(ImportTree, RefusesASecondRootAndAnUnknownParent) {
  ImportTree tree;
  EXPECT_EQ(tree.add({.packages = packages({"a==1"})}).error().code, Errc::invalid_spec);
  EXPECT_EQ(tree.add({.parent = 7}).error().code, Errc::not_found);
}

TEST(ImportTree, RefusesAPackageTwiceOnTheWayToTheRoot) {
  ImportTree tree;
  const auto parent = grow(tree, ImportTree::root, {"numpy==1.25.2"});
  for (const auto* again : {"numpy==1.25.2", "numpy==1.26.0"})
    EXPECT_EQ(tree.add({.parent = parent, .packages = packages({again})}).error().code,
              Errc::invalid_spec);
  grow(tree, ImportTree::root, {"numpy==1.26.0"});
}

TEST(ImportTree, RefusesNamesThatAreTakenOrOdd) {
  ImportTree tree;
  ASSERT_TRUE(tree.add({.name = "ds", .parent = ImportTree::root}).has_value());
  EXPECT_EQ(tree.add({.name = "ds", .parent = ImportTree::root}).error().code, Errc::exists);
  for (const auto* name : {"a b", "../x", "-x", "\n"})
    EXPECT_EQ(tree.add({.name = name, .parent = ImportTree::root}).error().code,
              Errc::invalid_spec);
  EXPECT_EQ(tree.add({.parent = ImportTree::root, .modules = {"os; evil()"}}).error().code,
            Errc::invalid_spec);
}

TEST(ImportTree, NumbersAreNotUsedTwice) {
  ImportTree tree;
  const auto first = grow(tree, ImportTree::root, {"a==1"});
  ASSERT_TRUE(tree.remove(first).has_value());
  EXPECT_NE(grow(tree, ImportTree::root, {"a==1"}), first);
}

TEST(ImportTree, RemovesLeavesOnly) {
  ImportTree tree;
  const auto parent = grow(tree, ImportTree::root, {"a==1"});
  const auto leaf = grow(tree, parent, {"b==1"});
  EXPECT_FALSE(tree.remove(parent).has_value());
  EXPECT_FALSE(tree.remove(ImportTree::root).has_value());
  EXPECT_EQ(tree.remove(99).error().code, Errc::not_found);
  EXPECT_TRUE(tree.remove(leaf).has_value());
  EXPECT_TRUE(tree.remove(parent).has_value());
  EXPECT_FALSE(tree.remove(ImportTree::root).has_value());
}

TEST(ImportTree, IsBoundedInDepth) {
  ImportTree tree;
  NodeId at = ImportTree::root;
  for (std::size_t depth = 1; depth <= ImportTree::most_depth; ++depth)
    at = grow(tree, at, {"p" + std::to_string(depth) + "==1"});
  EXPECT_EQ(tree.depth(at), ImportTree::most_depth);
  EXPECT_EQ(tree.add({.parent = at}).error().code, Errc::exhausted);
}

TEST(ImportTree, IsBoundedInWhatOneInterpreterHolds) {
  ImportTree tree;
  NodeId parent = ImportTree::root;
  for (std::size_t level = 0; level < 8; ++level) {
    std::vector<Package> full(ImportTree::most_packages);
    for (std::size_t i = 0; i < full.size(); ++i)
      full[i].name = "p" + std::to_string(level * full.size() + i);
    const auto added = tree.add({.parent = parent, .packages = std::move(full)});
    ASSERT_TRUE(added.has_value()) << added.error().message();
    parent = *added;
  }
  const auto refused = tree.add({.parent = parent, .packages = {{.name = "one-more"}}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::exhausted);
  EXPECT_TRUE(tree.add({.parent = parent}).has_value());
}

TEST(ImportTree, IsBoundedInNodes) {
  ImportTree tree;
  while (tree.nodes().size() < ImportTree::most_nodes) grow(tree, ImportTree::root, {});
  EXPECT_EQ(tree.add({.parent = ImportTree::root}).error().code, Errc::exhausted);
}

class LookUp : public ::testing::Test {
 protected:
  LookUp() {
    set_cost(costs_, "numpy==1", 50);
    set_cost(costs_, "pandas==2", 250);
    set_cost(costs_, "requests==2", 10);
  }
  std::optional<NodeId> node_for(std::initializer_list<std::string_view> declared) {
    const auto match = tree_.best_match(packages(declared), costs_);
    return match.has_value() ? std::optional{match->node} : std::nullopt;
  }
  ImportTree tree_;
  ImportCosts costs_;
};

TEST_F(LookUp, NeverGivesWhatWasNotDeclared) {
  const auto numpy = grow(tree_, ImportTree::root, {"numpy==1"});
  grow(tree_, numpy, {"pandas==2"});
  EXPECT_EQ(node_for({"numpy==1"}), numpy);
  EXPECT_EQ(node_for({"pandas==2"}), ImportTree::root);  // its ancestor's numpy is not declared
  EXPECT_EQ(node_for({"numpy==2", "pandas==2"}), ImportTree::root);
  EXPECT_EQ(node_for({"numpy"}), ImportTree::root);
  EXPECT_EQ(node_for({}), ImportTree::root);
}

TEST_F(LookUp, PrefersTheTimeSavedToTheNumberOfPackages) {
  grow(tree_, ImportTree::root, {"requests==2", "idna==3", "urllib3==2"});
  const auto pandas = grow(tree_, ImportTree::root, {"pandas==2"});
  EXPECT_EQ(node_for({"requests==2", "idna==3", "urllib3==2", "pandas==2"}), pandas);
}

TEST_F(LookUp, CountsPackagesWhereNoCostIsKnown) {
  grow(tree_, ImportTree::root, {"x==1"});
  const auto two = grow(tree_, ImportTree::root, {"y==1", "z==1"});
  EXPECT_EQ(node_for({"x==1", "y==1", "z==1"}), two);
}

TEST_F(LookUp, TakesTheOldestOfEqualNodes) {
  const auto older = grow(tree_, ImportTree::root, {"numpy==1"});
  grow(tree_, ImportTree::root, {"numpy==1"});
  EXPECT_EQ(node_for({"numpy==1"}), older);
}

TEST_F(LookUp, SaysWhatIsSaved) {
  const auto numpy = grow(tree_, ImportTree::root, {"numpy==1"});
  grow(tree_, numpy, {"pandas==2", "unmeasured==1"});
  const auto match =
      tree_.best_match(packages({"numpy==1", "pandas==2", "unmeasured==1", "requests==2"}), costs_);
  ASSERT_TRUE(match.has_value());
  EXPECT_DOUBLE_EQ(match->saved.count(), 300);
  EXPECT_EQ(match->packages, 3U);
}

TEST_F(LookUp, FindsNothingWhenNotEvenTheRootQualifies) {
  const auto tree = ImportTree::parse_openlambda(R"({"packages":["numpy==1"],"children":[]})");
  ASSERT_TRUE(tree.has_value());
  EXPECT_FALSE(tree->best_match(packages({"pandas==2"}), costs_).has_value());
  EXPECT_TRUE(tree->best_match(packages({"numpy==1"}), costs_).has_value());
}

}  // namespace
}  // namespace sock
