#pragma once

// A temporary directory for one test, with the looks and waits that the tests of lib/state share.

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "sock/fd.hpp"

#include "sys/file.hpp"

namespace sock::testing {

class StateDir : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "sock-state-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    parent = pattern;
    path = parent / "state";
  }
  void TearDown() override { std::filesystem::remove_all(parent); }

  [[nodiscard]] UniqueFd open() const {
    return std::move(*sys::open(sys::cwd, path.string(), O_RDONLY | O_DIRECTORY));
  }
  /// A dead instance: its files without anybody who holds the lock.
  void make_dead(const std::string& id, const std::string& cgroups = {}) const {
    std::filesystem::create_directories(path / id);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::ofstream{path / id / "lock"};
    std::ofstream{path / id / "cgroups"} << cgroups;
  }

  std::filesystem::path parent;
  std::filesystem::path path;
};

}  // namespace sock::testing
