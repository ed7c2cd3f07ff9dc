// Files of import trees: what is written can be read, and what is broken is refused.

#include "trees.hpp"

namespace sock {
namespace {

using testing::grow;
using testing::packages;

ImportTree small_tree() {
  ImportTree tree;
  const auto numpy = tree.add({.name = "ds",
                               .parent = ImportTree::root,
                               .packages = packages({"numpy==1.25.2", "pytz==2023.3.post1"}),
                               .modules = {"numpy", "pytz"}});
  EXPECT_TRUE(numpy.has_value());
  grow(tree, *numpy, {"pandas==2.1.0"});
  grow(tree, ImportTree::root, {"six==1.16.0"});
  return tree;
}

TEST(ImportTreeFile, IsReadAsItWasWritten) {
  const auto tree = small_tree();
  const auto read = ImportTree::parse(tree.to_json());
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->to_json(), tree.to_json());
  const auto ds = read->find("ds");
  ASSERT_TRUE(ds.has_value());
  EXPECT_EQ(read->find(*ds)->modules, (std::vector<std::string>{"numpy", "pytz"}));
}

TEST(ImportTreeFile, StaysReadableAfterEvictionsAndGrowth) {
  auto tree = small_tree();
  ASSERT_TRUE(tree.remove(*tree.find("node-2")).has_value());
  auto read = ImportTree::parse(tree.to_json());
  ASSERT_TRUE(read.has_value()) << read.error().message();
  // "node-3" has number 2 now; the next numbers must not meet its name.
  grow(*read, ImportTree::root, {"a==1"});
  grow(*read, ImportTree::root, {"b==1"});
  EXPECT_TRUE(ImportTree::parse(read->to_json()).has_value());
}

TEST(ImportTreeFile, RefusesWhatIsNoTree) {
  const std::string root = R"({"name":"root","packages":[]})";
  const auto nodes = [&](const std::string& more) {
    return R"({"version":1,"nodes":[)" + root + more + "]}";
  };
  for (const auto& text : {
           std::string{},
           std::string{"[]"},
           std::string{"{"},
           std::string{R"({"version":1})"},
           std::string{R"({"version":2,"nodes":[{"name":"root"}]})"},
           std::string{R"({"nodes":[{"name":"root"}]})"},
           std::string{R"({"version":1,"nodes":[]})"},
           std::string{R"({"version":1,"nodes":[{"name":"root","parent":"root"}]})"},
           nodes(",7"),
           nodes(R"(,{"name":"a"})"),               // a second root
           nodes(R"(,{"name":"a","parent":"a"})"),  // its own parent
           nodes(R"(,{"name":"a","parent":"b"},{"name":"b","parent":"a"})"),
           nodes(R"(,{"name":"root","parent":"root"})"),  // a name twice
           nodes(R"(,{"name":"a b","parent":"root"})"),
           nodes(R"(,{"name":7,"parent":"root"})"),
           nodes(R"(,{"name":"a","parent":"root","packages":"numpy"})"),
           nodes(R"(,{"name":"a","parent":"root","packages":[1]})"),
           nodes(R"(,{"name":"a","parent":"root","packages":["numpy>=1"]})"),
           nodes(R"(,{"name":"a","parent":"root","packages":["numpy==1","numpy==2"]})"),
           nodes(R"(,{"name":"a","parent":"root","modules":["a b"]})"),
       }) {
    const auto read = ImportTree::parse(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, Errc::corrupt) << text;
  }
}

TEST(ImportTreeFile, IsBoundedInBytesAndDepth) {
  EXPECT_FALSE(ImportTree::parse(std::string(ImportTree::most_bytes + 1, ' ')).has_value());
  const std::size_t levels = 1'000'000;
  const auto nested = ImportTree::parse(std::string(levels, '[') + std::string(levels, ']'));
  ASSERT_FALSE(nested.has_value());
  EXPECT_NE(nested.error().hint.find("deep"), std::string::npos) << nested.error().message();
}

// Each nameless node would try all the names again: a minute for a file of 200 KB.
TEST(ImportTreeFile, FindsFreeNamesAmongThousandsThatAreTaken) {
  std::string nodes = R"({"name":"root"})";
  constexpr std::size_t half = ImportTree::most_nodes / 2 - 1;
  for (std::size_t i = 0; i < half; ++i)
    nodes += R"(,{"parent":"root","name":"node-)" + std::to_string(half + 1 + i) + "\"}";
  for (std::size_t i = 0; i < half; ++i) nodes += R"(,{"parent":"root"})";
  const auto tree = ImportTree::parse(R"({"version":1,"nodes":[)" + nodes + "]}");
  ASSERT_TRUE(tree.has_value()) << tree.error().message();
  EXPECT_EQ(tree->nodes().rbegin()->second.name, "node-" + std::to_string(3 * half));
}

TEST(OpenLambdaTree, IsReadAsItWasWritten) {
  const auto tree = small_tree();
  const auto read = ImportTree::parse_openlambda(tree.to_openlambda());
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->to_openlambda(), tree.to_openlambda());
  EXPECT_EQ(read->nodes().size(), tree.nodes().size());
}

TEST(OpenLambdaTree, RefusesWhatIsNoTree) {
  for (const auto* text : {"[]", "{}", R"({"packages":7})", R"({"packages":[],"children":7})",
                           R"({"packages":[],"children":[7]})",
                           R"({"packages":["a==1"],"children":[{"packages":["a==2"]}]})"}) {
    const auto read = ImportTree::parse_openlambda(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, Errc::corrupt) << text;
  }
}

TEST(OpenLambdaTree, IsBoundedInDepthAndNodes) {
  std::string deep;
  for (std::size_t i = 0; i < 100'000; ++i) deep += R"({"packages":[],"children":[)";
  EXPECT_FALSE(ImportTree::parse_openlambda(deep).has_value());
  std::string wide = R"({"packages":[],"children":[{"packages":[]})";
  for (std::size_t i = 0; i < ImportTree::most_nodes; ++i) wide += R"(,{"packages":[]})";
  const auto read = ImportTree::parse_openlambda(wide + "]}");
  ASSERT_FALSE(read.has_value());
  EXPECT_NE(read.error().hint.find("too many"), std::string::npos) << read.error().message();
}

TEST(OpenLambdaTree, OfForkliftIsRead) {
  const auto tree = ImportTree::parse_openlambda(testing::forklift_file("tree-v3.node-40.json"));
  ASSERT_TRUE(tree.has_value()) << tree.error().message();
  EXPECT_EQ(tree->nodes().size(), 40U);
  const auto pandas =
      tree->best_match(packages({"pandas==2.1.0", "six==1.16.0", "python-dateutil==2.8.2",
                                 "numpy==1.25.2", "pytz==2023.3.post1", "tzdata==2023.3"}),
                       {});
  ASSERT_TRUE(pandas.has_value());
  EXPECT_EQ(pandas->packages, 6U);
}

}  // namespace
}  // namespace sock
