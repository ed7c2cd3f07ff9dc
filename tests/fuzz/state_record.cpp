// What a dead Host has recorded, as the next one, the janitor and `sockctl gc` read it: a record
// that is not of this instance removes nothing. Input: the record.

#include <filesystem>
#include <fstream>

#include <stdlib.h>

#include "input.hpp"
#include "state/instance.hpp"

namespace sock::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* id = "0123456789abcdef";

/// A state directory, and beside it a directory that could be taken for a cgroup of ours.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "sock-test-XXXXXX").string();
    expect(::mkdtemp(pattern.data()) != nullptr, "there is a scratch directory");
    root_ = pattern;
    fs::create_directories(root_ / "foreign");
    fs::create_directories(state());
    fs::permissions(state(), fs::perms::owner_all);
  }
  ~Scratch() { fs::remove_all(root_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] fs::path state() const { return root_ / "state"; }
  void write_record(std::string_view record) const {
    const fs::path instance = state() / id;
    fs::create_directory(instance);
    std::ofstream{instance / "lock"};
    std::ofstream{instance / "cgroups"} << record;
  }
  [[nodiscard]] bool is_whole() const { return fs::exists(root_ / "foreign"); }

 private:
  fs::path root_;
};

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sock::fuzz::expect;
  const static sock::fuzz::Scratch scratch;
  scratch.write_record({reinterpret_cast<const char*>(data), size});
  const int before = sock::fuzz::next_descriptor();
  const auto recovered = sock::state::recover(scratch.state());
  expect(sock::fuzz::next_descriptor() == before, "no descriptor is left open");
  expect(scratch.is_whole(), "what is not ours stays");
  expect(!recovered || !std::filesystem::exists(scratch.state() / sock::fuzz::id),
         "what was recovered is gone");
  return 0;
}
