// What `zygote create` asks for, between it and the background Host, and in snapshots.

#include <nlohmann/json.hpp>

#include "held_zygote.hpp"
#include "json_values.hpp"
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

std::string annotate(const ZygoteRequest& request, const std::vector<ZygoteImport>& imports) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& import : imports)
    list.push_back({{"module", import.module}, {"ns", import.time.count()}});
  return line_of({{"sockctl", to_json(request)}, {"imports", std::move(list)}});
}

Result<RestorableZygote> restorable(const sock::Snapshot& snapshot, const std::string& store) {
  const auto json = parse_json(snapshot.annotation);
  try {
    auto request = SOCKCTL_TRY(zygote_request_from_json(json.at("sockctl")));
    ZygoteSource source{.store = store, .snapshot = snapshot.name, .imports = {}};
    for (const auto& import : json.at("imports"))
      source.imports.push_back(
          {.module = import.at("module"), .time = std::chrono::nanoseconds{import.at("ns")}});
    return RestorableZygote{.request = std::move(request), .source = std::move(source)};
  } catch (const nlohmann::json::exception&) {
    return refuse(Errc::unsupported, Stage::validate, "snapshot " + snapshot.name,
                  "it was not written by sockctl, or by another version");
  }
}

}  // namespace sockctl
