#pragma once

// Short ways to write down packages, costs and trees in tests, and Forklift's measured data.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sock/zygote_plan.hpp"

#include "zygote/data_path.hpp"  // made by meson

namespace sock::testing {

inline Package package(std::string_view text) {
  auto parsed = Package::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(Package{});
}

inline std::vector<Package> packages(std::initializer_list<std::string_view> texts) {
  std::vector<Package> all;
  for (const auto text : texts) all.push_back(package(text));
  return all;
}

inline NodeId grow(ImportTree& tree, NodeId parent,
                   std::initializer_list<std::string_view> imports) {
  const auto added = tree.add({.parent = parent, .packages = packages(imports)});
  EXPECT_TRUE(added.has_value()) << added.error().message();
  return added.value_or(ImportTree::root);
}

inline void set_cost(ImportCosts& costs, std::string_view name, double ms,
                     std::uint64_t memory = 0) {
  costs[package(name)] = {
      .time = ImportTime{ms}, .memory = memory, .modules = {package(name).name}};
}

inline WorkloadFunction function(std::initializer_list<std::string_view> requirements,
                                 double calls = 1) {
  return {.name = "f", .requirements = packages(requirements), .modules = {}, .calls = calls};
}

/// A file of Forklift's, decompressed. The data stand beside the checkout on every machine that
/// runs the tests, so a missing file is a failure.
inline std::string forklift_file(const std::string& name) {
  const char* elsewhere = std::getenv("SOCK_TEST_DATA");
  const std::string path =
      std::string{elsewhere != nullptr ? elsewhere : SOCK_TEST_DATA} + "/forklift/" + name + ".gz";
  const std::string command = "gzip -dc '" + path + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command.c_str(), "r"), ::pclose};
  std::string text;
  std::vector<char> buffer(1 << 16);
  while (pipe) {
    const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    if (count == 0) break;
    text.append(buffer.data(), count);
  }
  EXPECT_FALSE(text.empty()) << path << " cannot be read; SOCK_TEST_DATA may name another place";
  return text;
}

}  // namespace sock::testing
