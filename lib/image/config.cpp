// The config of an image: what its layers must hash to, and how it wants to be run.

#include "base/try.hpp"
#include "image/document.hpp"
#include "image/manifest.hpp"
#include "image/stage.hpp"

namespace sock::image {
namespace {

// Everything in it ends up in an argv or an environment.
Result<> check_text(const std::string& text) {
  if (text.find('\0') != std::string::npos) return corrupt("image config", "a NUL in a text");
  return {};
}

Result<> check_texts(const std::vector<std::string>& texts) {
  for (const auto& text : texts) SOCK_TRY(check_text(text));
  return {};
}

Result<ImageConfig> parse_run_config(const nlohmann::json& value, const std::string& what) {
  ImageConfig config;
  config.env = SOCK_TRY(texts_of(value, "Env", what));
  config.entrypoint = SOCK_TRY(texts_of(value, "Entrypoint", what));
  config.cmd = SOCK_TRY(texts_of(value, "Cmd", what));
  config.workdir = SOCK_TRY(text_of(value, "WorkingDir", what));
  config.user = SOCK_TRY(text_of(value, "User", what));
  SOCK_TRY(check_texts(config.env));
  SOCK_TRY(check_texts(config.entrypoint));
  SOCK_TRY(check_texts(config.cmd));
  SOCK_TRY(check_text(config.workdir));
  SOCK_TRY(check_text(config.user));
  return config;
}

}  // namespace

Result<Config> parse_config(std::string_view text, const ImportLimits& limits) {
  const std::string what = "image config";
  const auto document = SOCK_TRY(parse_document(text, limits.document_max, what));
  Config config{};
  config.architecture = SOCK_TRY(text_of(document, "architecture", what));
  config.os = SOCK_TRY(text_of(document, "os", what));
  config.created = SOCK_TRY(text_of(document, "created", what));
  const auto* rootfs = find_member(document, "rootfs");
  if (rootfs == nullptr) return corrupt(what, "it names no layers (\"rootfs\")");
  for (const auto& id : SOCK_TRY(texts_of(*rootfs, "diff_ids", what)))
    config.diff_ids.push_back(SOCK_TRY(store::Digest::parse(id, what)));
  if (const auto* run = find_member(document, "config"))
    config.run = SOCK_TRY(parse_run_config(*run, what));
  if (config.diff_ids.size() > limits.layers_max)
    return base::refuse(Errc::exhausted, image_stage, what,
                        "beyond the limit of an import: layers_max");
  return config;
}

Result<> check_config(const Config& config, std::size_t layers, const std::string& architecture) {
  if (!config.os.empty() && config.os != "linux")
    return base::refuse(Errc::unsupported, image_stage, "an image for " + config.os);
  if (!config.architecture.empty() && config.architecture != architecture)
    return base::refuse(Errc::unsupported, image_stage, "an image for " + config.architecture,
                        "this machine is " + architecture);
  if (config.diff_ids.empty()) return corrupt("image config", "the image has no layers");
  if (config.diff_ids.size() != layers)
    return corrupt("image config", std::to_string(config.diff_ids.size()) +
                                       " layers, where the manifest has " + std::to_string(layers));
  return {};
}

}  // namespace sock::image
