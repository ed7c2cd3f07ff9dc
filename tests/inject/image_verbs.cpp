// The verbs of the image store. What comes before the gate is preparation, and nothing is made to
// fail in it.

#include "image_verbs.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "sock/image.hpp"

#include "saying.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;

// Beside the state directory, and so gone with the test's own.
Result<ImageStore> open_store(const std::string& state_dir) {
  return ImageStore::open({.directory = state_dir + "-images"});
}

/// Two tiny layers in gzip, made once.
Result<ImageSource> layout(const std::string& state_dir) {
  ImageSource source{.kind = ImageSource::Kind::oci_layout, .path = state_dir + "-layout"};
  if (fs::exists(source.path)) return source;
  const std::string root = state_dir + "-root";
  fs::create_directories(root + "/dir");
  std::ofstream{root + "/dir/file"} << "content";
  fs::create_symlink("file", root + "/dir/link");
  auto store = ImageStore::open({.directory = state_dir + "-made"});
  if (!store) return std::unexpected(store.error());
  const auto image =
      store->add({.kind = ImageSource::Kind::directory, .path = root}, {.name = "made"});
  if (!image) return std::unexpected(image.error());
  const auto saved = store->save("made", source, {.changes = root + "/dir"});
  if (!saved) return std::unexpected(saved.error());
  return source;
}

int import(const std::string& state_dir) {
  const auto source = layout(state_dir);
  if (!source) return fail(source.error());
  wait_at_gate();
  auto store = open_store(state_dir);
  if (!store) return fail(store.error());
  return code_of(store->add(*source, {.name = "t"}));
}

/// How many entries each part of the store has, where these are all that is in it.
std::map<std::string, std::size_t> parts_of(const std::vector<Image>& images) {
  std::map<std::string, std::size_t> parts{{"layers", 0}, {"roots", 0},     {"images", 0},
                                           {"names", 0},  {"documents", 0}, {"staging", 0}};
  for (const Image& image : images) {
    parts["layers"] += image.layers.size();
    parts["documents"] += 1 + image.digests.size();
    for (const char* part : {"roots", "images", "names"}) ++parts[part];
  }
  return parts;
}

/// Afterwards, with nothing that fails: says "whole" or "nothing" if that is what gc() leaves.
int look_at_store(const std::string& state_dir) {
  auto store = open_store(state_dir);
  if (!store) return fail(store.error());
  if (const auto garbage = store->gc(); !garbage) return fail(garbage.error());
  const auto images = store->list();
  if (!images) return fail(images.error());
  for (const auto& [part, expected] : parts_of(*images)) {
    const fs::directory_iterator entries{state_dir + "-images/" + part};
    const auto found =
        static_cast<std::size_t>(std::distance(fs::begin(entries), fs::end(entries)));
    if (found != expected) say("left in " + part + ": " + std::to_string(found));
  }
  const bool is_there = !images->empty();
  const auto verified = store->verify("t");
  if (is_there && !(verified && verified->ok())) say("damaged");
  fs::remove_all(state_dir + "-images");
  say(is_there ? "whole" : "nothing");
  return succeeded;
}

}  // namespace

HostVerb find_image_verb(std::string_view name, const std::string& state_dir) {
  if (name == "import") return [state_dir](Host&) { return import(state_dir); };
  if (name == "look-at-images") return [state_dir](Host&) { return look_at_store(state_dir); };
  return {};
}

}  // namespace sock::test
