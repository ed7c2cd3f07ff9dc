// Zygotes of an import cache that are in snapshots: who is forked from there, and what is found
// again.

#include <filesystem>
#include <fstream>

#include "import_cache_fixture.hpp"

namespace sock::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class StoredInCaches : public ImportCaches {
 protected:
  void SetUp() override {
    ImportCaches::SetUp();
    if (IsSkipped()) return;
    if (!is_tested_with("detached_roots")) GTEST_SKIP() << "snapshots need Linux 6.15";
  }
  [[nodiscard]] std::string shelf() const { return scratch() + "/shelf"; }
  [[nodiscard]] ImportCacheSpec storing_spec() {
    ImportCacheSpec spec = cache_spec();
    spec.stored = StoredZygotes{.directory = shelf()};
    return spec;
  }
  [[nodiscard]] std::size_t snapshots() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : fs::directory_iterator{shelf() + "/snapshots"})
      ++count;
    return count;
  }
  /// An import cache with a node for mod_a in it that was stored.
  ImportCache with_a_stored(const ImportCacheSpec& spec) {
    ImportCache cache = open(spec);
    tend(cache);
    ask(cache, {"mod_a"});
    EXPECT_EQ(tend(cache), (Steps{"started node-1", "stored node-1"}));
    EXPECT_GT(zygote(cache, "node-1").stored, 1U << 20U);
    return cache;
  }
};

TEST_F(StoredInCaches, AreFoundByTheNextCache) {
  { const ImportCache cache = with_a_stored(storing_spec()); }
  ASSERT_EQ(snapshots(), 1);
  ImportCacheSpec spec = storing_spec();
  const Answer before = ask(*std::make_unique<ImportCache>(open(spec)), {"mod_a"});
  EXPECT_EQ(before.zygote, "root");  // Only what was verified is forked from.
  ImportTree tree;
  ASSERT_TRUE(tree.add({.name = "a", .parent = ImportTree::root, .packages = declare({"mod_a"})}));
  spec.tree = tree;
  ImportCache cache = open(spec);
  EXPECT_EQ(tend(cache), Steps{"stored a"});
  const Answer answer = ask(cache, {"mod_a"});
  EXPECT_EQ(answer.zygote, "a");
  EXPECT_EQ(answer.origin, Origin::restored);
  EXPECT_EQ(answer.out, "mod_a");
  EXPECT_EQ(answer.fallback, "");
  // It serves as well as one that lives: nothing is missed.
  EXPECT_EQ(tend(cache), Steps{});
  EXPECT_EQ(zygote(cache, "a").replicas, 0);
  EXPECT_EQ(zygote(cache, "a").forks, 1);
}

TEST_F(StoredInCaches, AreFoundAgainByANodeThatGrows) {
  { const ImportCache cache = with_a_stored(storing_spec()); }
  ImportCache cache = open(storing_spec());
  EXPECT_EQ(tend(cache), Steps{});
  EXPECT_EQ(ask(cache, {"mod_a"}).zygote, "root");
  // The tree has the node now, and so the snapshot is known; it need not be started.
  EXPECT_EQ(tend(cache), Steps{"stored node-1"});
  EXPECT_EQ(ask(cache, {"mod_a"}).origin, Origin::restored);
}

TEST_F(StoredInCaches, DifferFromOneAnother) {
  { const ImportCache cache = with_a_stored(storing_spec()); }
  ImportCacheSpec spec = storing_spec();
  ImportTree tree;
  ASSERT_TRUE(tree.add({.name = "a", .parent = ImportTree::root, .packages = declare({"mod_a"})}));
  spec.tree = tree;
  ImportCache second = open(spec);
  tend(second);
  constexpr const char* random_words =
      "import os, random, uuid, secrets, tempfile\n"
      "print(random.random(), uuid.uuid4(), secrets.token_hex(), os.urandom(8).hex(), "
      "next(tempfile._get_candidate_names()), end='')";
  int number = 0;
  expect_all_differ(5, [&] {
    const Answer answer = ask(second, {"mod_a"}, random_words, "asked" + std::to_string(number++));
    EXPECT_EQ(answer.origin, Origin::restored);
    return answer.out;
  });
}

TEST_F(StoredInCaches, TakeThePlaceOfWhatIsEvicted) {
  write_module("mod_big",
               "block = bytearray(40 << 20)\nfor at in range(0, len(block), 4096): block[at] = 1");
  write_module("mod_large",
               "block = bytearray(40 << 20)\nfor at in range(0, len(block), 4096): block[at] = 2");
  ImportCacheSpec spec = storing_spec();
  spec.memory_max = 75U << 20U;  // One of them, and the root.
  ImportCache cache = open(spec);
  tend(cache);
  ask(cache, {"mod_big"});
  tend(cache);
  for (int i = 0; i < 3; ++i) ask(cache, {"mod_large"}, show_imported, "large" + std::to_string(i));
  tend(cache);
  EXPECT_EQ(zygote(cache, "node-1").replicas + zygote(cache, "node-2").replicas, 1);
  const Answer big = ask(cache, {"mod_big"}, "import mod_big; print(mod_big.block[4096], end='')");
  EXPECT_EQ(big.zygote, "node-1");
  EXPECT_EQ(big.out, "1");
  const Answer large =
      ask(cache, {"mod_large"}, "import mod_large; print(mod_large.block[4096], end='')");
  EXPECT_EQ(large.zygote, "node-2");
  EXPECT_EQ(large.out, "2");
  EXPECT_NE(big.origin, large.origin);
  EXPECT_EQ(tend(cache), Steps{});
}

TEST_F(StoredInCaches, KeepToTheirBudget) {
  ImportCacheSpec spec = storing_spec();
  spec.stored->bytes_max = 24U << 20U;
  ImportCache cache = open(spec);
  tend(cache);
  int number = 0;
  for (const char* const module : {"mod_a", "mod_b", "mod_c"}) {
    ask(cache, {module}, show_imported, "asked" + std::to_string(number++));
    tend(cache);
  }
  std::uint64_t bytes = 0;
  for (const auto& zygote : cache.zygotes()) bytes += zygote.stored;
  EXPECT_GT(bytes, 0);
  EXPECT_LE(bytes, spec.stored->bytes_max);
}

TEST_F(StoredInCaches, GoWhenTheyAreTooOld) {
  ImportCacheSpec spec = storing_spec();
  spec.recycling.forks_max = 3;
  ImportTree tree;
  ASSERT_TRUE(tree.add({.name = "a", .parent = ImportTree::root, .packages = declare({"mod_a"})}));
  spec.tree = tree;
  {
    ImportCache cache = open(spec);
    tend(cache);
    ask(cache, {"mod_a"});
    EXPECT_EQ(tend(cache), (Steps{"started a", "stored a"}));
  }
  {
    ImportCache cache = open(spec);
    tend(cache);
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(ask(cache, {"mod_a"}, show_imported, "asked" + std::to_string(i)).origin,
                Origin::restored);
    EXPECT_EQ(tend(cache).front(), "dropped a");
    EXPECT_EQ(snapshots(), 0);
    EXPECT_EQ(ask(cache, {"mod_a"}).zygote, "root");
  }
  ImportCacheSpec hasty = storing_spec();
  hasty.recycling.age_max = 1s;
  {
    ImportCache cache = open(hasty);
    ask(cache, {"mod_a"});
    tend(cache);
  }
  const auto deadline = in(20s);
  do {
    const ImportCache cache = open(hasty);
  } while (snapshots() > 0 && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(snapshots(), 0);
}

TEST_F(StoredInCaches, AreDroppedWhenTheyDoNotComeBack) {
  { const ImportCache cache = with_a_stored(storing_spec()); }
  ImportCacheSpec spec = storing_spec();
  ImportTree tree;
  ASSERT_TRUE(tree.add({.name = "a", .parent = ImportTree::root, .packages = declare({"mod_a"})}));
  spec.tree = tree;
  for (const auto& each : fs::recursive_directory_iterator{shelf() + "/snapshots"})
    if (each.path().filename() == "pages") fs::resize_file(each.path(), 4096);
  ImportCache cache = open(spec);
  EXPECT_EQ(tend(cache), Steps{"dropped a"});
  EXPECT_EQ(snapshots(), 0);
  EXPECT_EQ(ask(cache, {"mod_a"}).zygote, "root");
  EXPECT_EQ(tend(cache), (Steps{"started a", "stored a"}));
  EXPECT_EQ(ask(cache, {"mod_a"}).zygote, "a");
}

TEST_F(StoredInCaches, AreOfOneDomainAlone) {
  { const ImportCache cache = with_a_stored(storing_spec()); }
  ImportCacheSpec spec = storing_spec();
  spec.domain.env.emplace_back("OTHER=1");
  ImportTree tree;
  ASSERT_TRUE(tree.add({.name = "a", .parent = ImportTree::root, .packages = declare({"mod_a"})}));
  spec.tree = tree;
  ImportCache cache = open(spec);
  EXPECT_EQ(tend(cache), Steps{});
  EXPECT_EQ(snapshots(), 1);
}

TEST_F(StoredInCaches, HaveNoPlaceInNothing) {
  ImportCacheSpec spec = storing_spec();
  spec.stored->bytes_max = 0;
  const auto cache = host().open_import_cache(spec);
  ASSERT_FALSE(cache.has_value());
  EXPECT_EQ(cache.error().code, Errc::invalid_spec);
}

}  // namespace
}  // namespace sock::test
