// sockctl image ls and inspect.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "image_json.hpp"
#include "image_store.hpp"
#include "image_verbs.hpp"
#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

Result<sock::ImageStore> open_store(const ImageOptions& options) {
  return open_image_store(SOCKCTL_TRY(image_store_dir(options.store.directory)));
}

std::string all_names(const sock::Image& image) {
  std::string text;
  for (const auto& name : image.names) text += (text.empty() ? "" : ",") + name;
  return text.empty() ? "-" : text;
}

Result<> list(Format format, const ImageOptions& options) {
  const auto store = SOCKCTL_TRY(open_store(options));
  const auto images = SOCKCTL_TRY(store.list());
  if (options.quiet) {
    std::string names;
    for (const auto& image : images)
      for (const auto& name : image.names) names += name + "\n";
    return write_all(sock::FdRef{1}, names);
  }
  auto objects = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& image : images) {
    objects.push_back(to_json(image));
    rows.push_back({all_names(image), short_digest(image.id), image.architecture,
                    std::to_string(image.layers.size()), std::to_string(image.entries),
                    human_size(image.bytes), time_text(image.imported)});
  }
  constexpr auto right = Column::Align::right;
  return print_list(format, objects,
                    {{"NAME"},
                     {"ID"},
                     {"ARCH"},
                     {"LAYERS", right},
                     {"FILES", right},
                     {"SIZE", right},
                     {"IMPORTED"}},
                    rows);
}

Result<> show(Format format, const ImageOptions& options) {
  const auto store = SOCKCTL_TRY(open_store(options));
  auto objects = nlohmann::json::array();
  for (const auto& name : options.names) {
    const auto image = SOCKCTL_TRY(store.find(name));
    objects.push_back(to_json(image));
  }
  return print_list(format == Format::jsonl ? Format::jsonl : Format::json, objects, {}, {});
}

int act(const Globals& globals, const ImageOptions& options,
        Result<> (*verb)(Format, const ImageOptions&)) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(verb(*format, options));
}

}  // namespace

int image_ls(const Globals& globals, const ImageOptions& options) {
  return act(globals, options, list);
}

int image_inspect(const Globals& globals, const ImageOptions& options) {
  return act(globals, options, show);
}

}  // namespace sockctl
