// Images as JSON.

#include "image_json.hpp"

#include <nlohmann/json.hpp>

#include "report.hpp"

namespace sockctl {

nlohmann::json to_json(const sock::Image& image) {
  auto layers = nlohmann::json::array();
  for (const auto& layer : image.layers)
    layers.push_back(
        {{"diff_id", layer.diff_id}, {"bytes", layer.bytes}, {"entries", layer.entries}});
  const auto& config = image.config;
  return {{"id", image.id},
          {"names", image.names},
          {"digests", image.digests},
          {"architecture", image.architecture},
          {"os", image.os},
          {"created", image.created},
          {"imported", time_text(image.imported)},
          {"bytes", image.bytes},
          {"entries", image.entries},
          {"devices_skipped", image.devices_skipped},
          {"xattrs_dropped", image.xattrs_dropped},
          {"layers", std::move(layers)},
          {"config",
           {{"env", config.env},
            {"entrypoint", config.entrypoint},
            {"cmd", config.cmd},
            {"workdir", config.workdir},
            {"user", config.user}}}};
}

std::string short_digest(const std::string& digest) {
  constexpr std::size_t digits = 12;
  const auto colon = digest.find(':');
  return digest.substr(colon + 1, digits);
}

}  // namespace sockctl
