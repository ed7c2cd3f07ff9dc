// What `zygote create` asks for, between it and the background Host.

#include <nlohmann/json.hpp>

#include "held_zygote.hpp"
#include "run_options_json.hpp"

namespace sockctl {

nlohmann::json to_json(const ZygoteRequest& request) {
  return {{"verb", "create"},           {"name", request.name},
          {"modules", request.modules}, {"paths", request.paths},
          {"runtime", request.runtime}, {"python", request.python},
          {"spares", request.spares},   {"options", to_json(request.options)}};
}

Result<ZygoteRequest> zygote_request_from_json(const nlohmann::json& json) {
  auto options = SOCKCTL_TRY(run_options_of(json.at("options")));
  return ZygoteRequest{.name = json.at("name"),
                       .modules = json.at("modules"),
                       .paths = json.at("paths"),
                       .runtime = json.at("runtime"),
                       .python = json.at("python"),
                       .spares = json.at("spares"),
                       .options = std::move(options)};
}

}  // namespace sockctl
