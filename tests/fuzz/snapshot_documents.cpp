// What an imported snapshot says of itself: its manifest, and the record of a tree. The first byte
// chooses; for two manifests, compared, a line ends the first.

#include <array>

#include "checkpoint/archive_items.hpp"
#include "checkpoint/manifest.hpp"
#include "checkpoint/manifest_difference.hpp"
#include "input.hpp"
#include "store/tree_difference.hpp"

namespace sock::fuzz {
namespace {

void read_manifest(std::string_view text) {
  const auto manifest = checkpoint::Manifest::parse(text, "manifest");
  if (!manifest) return;
  for (const auto& item : checkpoint::archive_items(*manifest))
    expect(!item.path.starts_with('/') && ("/" + item.path + "/").find("/../") == std::string::npos,
           "no entry of an archive leads out");
  const std::string written = manifest->to_text();
  const auto again = checkpoint::Manifest::parse(written, "manifest");
  expect(again && again->to_text() == written, "written and read, it is the same");
  static_cast<void>(checkpoint::describe(*manifest, "name", text));
}

void compare_manifests(std::string_view text) {
  const auto first = text.substr(0, text.find('\n'));
  const auto second = text.substr(std::min(first.size() + 1, text.size()));
  const auto there = checkpoint::compare_documents(first, second);
  const auto back = checkpoint::compare_documents(second, first);
  expect(there.has_value() == back.has_value(), "both ways or none");
  if (there) expect(there->size() == back->size(), "as many differences both ways");
  const auto same = checkpoint::compare_documents(first, first);
  if (same) expect(same->empty(), "nothing differs from itself");
}

void compare_records(std::string_view text) {
  const auto middle = text.find("sock-tree", 1);
  const auto first = store::TreeRecord::parse(text.substr(0, middle));
  if (!first) return;
  expect(!store::find_difference(*first, *first), "nothing differs from itself");
  if (middle == std::string_view::npos) return;
  const auto second = store::TreeRecord::parse(text.substr(middle));
  if (!second) return;
  expect(store::find_difference(*first, *second).has_value() ==
             store::find_difference(*second, *first).has_value(),
         "a difference is one both ways");
  const auto files = checkpoint::compare_trees("/tmp", *first, *second);
  expect(files.size() <= first->entries.size() + second->entries.size(), "each entry once");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock::fuzz;
  constexpr std::array readers{read_manifest, compare_manifests, compare_records};
  Input input{data, size};
  readers[input.choice(readers.size())](input.rest());
  return 0;
}
