// Which packages a request gets.

#include "cache/selection.hpp"

#include <gtest/gtest.h>

namespace sock::cache {
namespace {

CachedPackage cached(const char* package, std::vector<std::string> dependencies = {},
                     const char* abi = "none-any") {
  return {.package = Package::parse(package).value(),
          .abi = abi,
          .dependencies = std::move(dependencies)};
}

CachedPackage from_deb(const char* package, const char* debian,
                       std::vector<std::string> dependencies = {}) {
  auto made = cached(package, std::move(dependencies));
  made.kind = PackageSource::Kind::deb;
  made.provides = {debian};
  return made;
}

/// "a==1 b==2", or the error's subject and hint.
std::string select(const std::vector<CachedPackage>& all, std::initializer_list<const char*> names,
                   Dependencies dependencies = Dependencies::follow) {
  PackageRequest request{.python = "3.11", .dependencies = dependencies};
  for (const char* name : names) request.packages.push_back(Package::parse(name).value());
  const auto chosen = select_packages(all, request);
  if (!chosen.has_value()) return chosen.error().subject + ": " + chosen.error().hint;
  std::string text;
  for (const auto place : *chosen)
    text += (text.empty() ? "" : " ") + all[place].package.to_string();
  return text;
}

TEST(PackageSelection, TakesTheNewestOrTheVersionThatWasAskedFor) {
  const std::vector all{cached("a==2.0rc1"), cached("a==1.10"), cached("a==1.9")};
  EXPECT_EQ(select(all, {"a"}), "a==1.10") << "a pre-release is not the newest";
  EXPECT_EQ(select(all, {"a==1.9.0"}), "a==1.9");
  EXPECT_EQ(select(all, {"a==2.0rc1"}), "a==2.0rc1");
  EXPECT_EQ(select(all, {"a==3"}), "a==3: not in the package cache");
  EXPECT_EQ(select({cached("b==1a1")}, {"b"}), "b==1a1") << "there is nothing else";
}

TEST(PackageSelection, FollowsWhatPackagesNeed) {
  const std::vector all{cached("a==1", {"b>=2,<3", "c; extra == 'x'", "d; python_version < '3'"}),
                        cached("b==3"), cached("b==2.5", {"e"}), cached("e==1", {"a"})};
  EXPECT_EQ(select(all, {"a"}), "a==1 b==2.5 e==1");
  EXPECT_EQ(select(all, {"a"}, Dependencies::ignore), "a==1");
  EXPECT_EQ(select(all, {"b==3", "a"}), "b>=2,<3: needed by a==1, beside b==3");
  EXPECT_EQ(select({cached("a==1", {"b"})}, {"a"}), "b: needed by a==1; not in the package cache");
}

TEST(PackageSelection, FollowsDebianNames) {
  const std::vector all{
      from_deb("pandas==1.5.3", "python3-pandas", {"python3-dateutil", "python3-x | python3-y"}),
      from_deb("python-dateutil==2.8", "python3-dateutil"), cached("y==1")};
  EXPECT_EQ(select(all, {"pandas"}), "pandas==1.5.3 python-dateutil==2.8 y==1");
  EXPECT_EQ(select({all[0]}, {"pandas"}),
            "python3-dateutil: needed by pandas==1.5.3; not in the package cache");
}

TEST(PackageSelection, TakesWhatTheInterpreterCanImport) {
  const std::vector all{cached("a==2", {}, "cp312-x86_64-linux-gnu"),
                        cached("a==1", {}, "cp311-x86_64-linux-gnu"),
                        cached("b==1", {}, "cp39-x86_64-linux-gnu")};
  EXPECT_EQ(select(all, {"a"}), "a==1");
  EXPECT_EQ(select(all, {"b"}),
            "b: in the package cache for cp39-x86_64-linux-gnu, not for Python 3.11");
}

TEST(PackageSelection, TakesNoPackageTwice) {
  const std::vector all{cached("a==2"), cached("a==1")};
  EXPECT_EQ(select(all, {"a", "a", "a==2"}), "a==2");
  EXPECT_EQ(select(all, {"a", "a==1"}), "a==1: asked for, beside a==2");
}

TEST(PackageSelection, WantsAVersionOfPython) {
  for (const char* python : {"", "3", "3.", "2.7", "3.11.2", "three", "3.x"})
    EXPECT_EQ(select_packages({}, {.packages = {}, .python = python}).error().code,
              Errc::invalid_spec)
        << python;
}

}  // namespace
}  // namespace sock::cache
