// The choice of hierarchies.

#include "isolation/cgroup/backend.hpp"

#include <gtest/gtest.h>

namespace sock::isolation {
namespace {

enum class Writable : bool { no, yes };

Hierarchy hierarchy(std::vector<std::string> controllers, const std::string& directory,
                    Writable writable = Writable::yes) {
  return {.controllers = std::move(controllers),
          .mount_point = directory,
          .mount_root = "/",
          .own = "/",
          .directory = directory,
          .writable = writable == Writable::yes};
}

Layout hybrid_machine() {
  return {.v2 = hierarchy({"hugetlb"}, "/cg/unified"),
          .v1 = {hierarchy({"cpu"}, "/cg/cpu"), hierarchy({"cpuacct"}, "/cg/cpuacct"),
                 hierarchy({"cpuset"}, "/cg/cpuset"), hierarchy({"memory"}, "/cg/memory"),
                 hierarchy({"devices"}, "/cg/devices"), hierarchy({"freezer"}, "/cg/freezer"),
                 hierarchy({"blkio"}, "/cg/blkio"), hierarchy({"pids"}, "/cg/pids")}};
}

Layout v2_machine() {
  return {.v2 = hierarchy({"cpuset", "cpu", "memory", "pids"}, "/cg"), .v1 = {}};
}

std::vector<std::string> parents(const BackendChoice& choice) {
  std::vector<std::string> parents;
  for (const Branch& branch : choice.branches) parents.push_back(branch.parent);
  return parents;
}

TEST(CgroupBackendChoice, IsHybridWhereBothAreMounted) {
  const auto choice = choose_backend(hybrid_machine(), CgroupBackend::automatic);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->backend, CgroupBackend::hybrid);
}

TEST(CgroupBackendChoice, JoinsOnlyWhatCarriesALimitOrAStatistic) {
  const auto choice = choose_backend(hybrid_machine(), CgroupBackend::hybrid);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(parents(*choice),
            (std::vector<std::string>{"/cg/unified", "/cg/cpu", "/cg/memory", "/cg/pids"}));
  EXPECT_EQ(choice->find(Controller::freezer), 0U);
  EXPECT_EQ(choice->find(Controller::cpuacct), 0U) << "v2's cpu.stat needs no controller";
}

TEST(CgroupBackendChoice, TakesEverythingFromV2WhereThatHasTheControllers) {
  const auto choice = choose_backend(v2_machine(), CgroupBackend::automatic);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->backend, CgroupBackend::v2);
  ASSERT_EQ(choice->branches.size(), 1U);
  for (const Controller controller : {Controller::memory, Controller::cpu, Controller::cpuacct,
                                      Controller::pids, Controller::freezer})
    EXPECT_EQ(choice->find(controller), 0U);
}

TEST(CgroupBackendChoice, LeadsWithTheFreezerOnV1) {
  const auto choice = choose_backend(hybrid_machine(), CgroupBackend::v1);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(parents(*choice), (std::vector<std::string>{"/cg/freezer", "/cg/cpu", "/cg/cpuacct",
                                                        "/cg/memory", "/cg/pids"}));
}

TEST(CgroupBackendChoice, UsesCoMountedControllersOnce) {
  const Layout layout{.v2 = {}, .v1 = {hierarchy({"cpu", "cpuacct"}, "/cg/cpu,cpuacct")}};
  const auto choice = choose_backend(layout, CgroupBackend::automatic);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->backend, CgroupBackend::v1);
  ASSERT_EQ(choice->branches.size(), 1U);
  EXPECT_TRUE(choice->branches[0].has(Controller::cpu));
  EXPECT_TRUE(choice->branches[0].has(Controller::cpuacct));
}

TEST(CgroupBackendChoice, IsNoneWhereNothingIsWritable) {
  Layout layout = hybrid_machine();
  layout.v2->writable = false;
  for (Hierarchy& each : layout.v1) each.writable = false;
  const auto choice = choose_backend(layout, CgroupBackend::automatic);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->backend, CgroupBackend::none);
  EXPECT_TRUE(choice->branches.empty());
}

TEST(CgroupBackendChoice, RefusesABackendThatTheMachineLacks) {
  for (const CgroupBackend lacking : {CgroupBackend::v1, CgroupBackend::hybrid}) {
    const auto choice = choose_backend(v2_machine(), lacking);
    ASSERT_FALSE(choice.has_value());
    EXPECT_EQ(choice.error().code, Errc::unsupported);
    EXPECT_NE(choice.error().hint, "");
  }
  Layout v1_only = hybrid_machine();
  v1_only.v2.reset();
  const auto choice = choose_backend(v1_only, CgroupBackend::v2);
  ASSERT_FALSE(choice.has_value());
  EXPECT_EQ(choice.error().subject, "cgroup backend v2");
}

TEST(CgroupBackendChoice, NamesDelegationWhereTheBackendIsThereButNotWritable) {
  Layout layout = v2_machine();
  layout.v2->writable = false;
  const auto choice = choose_backend(layout, CgroupBackend::v2);
  ASSERT_FALSE(choice.has_value());
  EXPECT_EQ(choice.error().code, Errc::denied);
  EXPECT_NE(choice.error().hint.find("Delegate=yes"), std::string::npos);
}

TEST(CgroupBackendChoice, LeavesOutHierarchiesThatAreNotWritable) {
  Layout layout = hybrid_machine();
  layout.v1[3].writable = false;  // memory
  const auto choice = choose_backend(layout, CgroupBackend::automatic);
  ASSERT_TRUE(choice.has_value());
  EXPECT_FALSE(choice->find(Controller::memory).has_value());
}

}  // namespace
}  // namespace sock::isolation
