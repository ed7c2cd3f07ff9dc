// What an image says of itself, and what a store has written of it: manifests, configs, the names
// of entries with their whiteouts, records of trees, lists of what to prefetch. The first byte
// chooses.

#include "image/manifest.hpp"
#include "image/prefetch_list.hpp"
#include "image/reference.hpp"
#include "input.hpp"
#include "store/entry_path.hpp"
#include "store/tree_record.hpp"

namespace sock::fuzz {
namespace {

constexpr ImportLimits limits{.layers_max = 20, .document_max = 64U << 10U};

void read_manifests(std::string_view text) {
  const auto manifest = image::parse_manifest(text, limits);
  if (manifest) expect(manifest->layers.size() <= limits.layers_max, "layers have their bound");
  const auto index = image::parse_index(text, limits);
  if (index) static_cast<void>(image::choose_manifest(*index, "tag", "amd64"));
  const auto saved = image::parse_saved_images(text, limits);
  if (saved) static_cast<void>(image::choose_saved_image(*saved, "name:tag"));
}

void read_config(std::string_view text) {
  const auto config = image::parse_config(text, limits);
  if (!config) return;
  expect(config->diff_ids.size() <= limits.layers_max, "layers have their bound");
  static_cast<void>(image::check_config(*config, config->diff_ids.size(), "amd64"));
}

void expect_clean(const std::string& path) {
  const auto again = store::clean_entry_path(path, limits);
  expect(path.empty() || (again && *again == path), "a clean path is clean");
  expect(!path.starts_with('/') && ("/" + path + "/").find("/../") == std::string::npos,
         "it does not lead out");
}

void decide(std::string_view path) {
  const auto decision = store::decide_entry(path, limits);
  if (decision) expect_clean(decision->path);
}

void read_record(std::string_view text) {
  const auto record = store::TreeRecord::parse(text);
  if (!record) return;
  const std::string written = record->to_text();
  const auto again = store::TreeRecord::parse(written);
  expect(again && again->to_text() == written, "written and read, it is the same");
  store::TreeRecord merged;
  store::merge_layer(merged, *record, 0);
  store::merge_layer(merged, *record, 1);
  for (const auto& whiteout : record->whiteouts)
    expect(!merged.entries.contains(whiteout) || record->entries.contains(whiteout),
           "a whiteout hides what is below");
}

void read_prefetch_list(std::string_view text) {
  // With its sum put right: a fuzzer finds none.
  const std::string summed = std::string{text} + "s " + store::Digest::of(text).hex() + '\n';
  const auto list = image::PrefetchList::parse(summed);
  if (!list) return;
  for (const auto& file : list->files) expect_clean(file.path);
  const auto again = image::PrefetchList::parse(list->to_text());
  expect(again && *again == *list, "written and read, it is the same");
}

void read_reference(std::string_view text) {
  const auto name = image::parse_image_name(text);
  if (name)
    expect(image::image_name_of(image::file_name_of(*name)) == *name, "names are file names");
  static_cast<void>(image::parse_reference(text));
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock::fuzz;
  constexpr std::array readers{read_manifests, read_config,        decide,
                               read_record,    read_prefetch_list, read_reference};
  Input input{data, size};
  readers[input.choice(readers.size())](input.rest());
  return 0;
}
