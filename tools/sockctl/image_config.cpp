// What an image says about running it. Pure.

#include <algorithm>

#include "image_store.hpp"

namespace sockctl {
namespace {

std::string_view name_in(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

}  // namespace

bool uses_image(const RunOptions& options) {
  return options.rootfs.empty() && options.zygote.empty() && options.image != sock::host_image;
}

Result<RunOptions> with_image_config(RunOptions options, const sock::ImageConfig& config,
                                     const std::optional<sock::Identity>& identity) {
  std::vector<std::string> env;
  for (const auto& entry : config.env) {
    const bool is_given = std::ranges::any_of(
        options.env, [&](const std::string& given) { return name_in(given) == name_in(entry); });
    if (!is_given && entry.find('=') != std::string::npos) env.push_back(entry);
  }
  options.env.insert(options.env.begin(), env.begin(), env.end());
  const auto& words = options.command.empty() ? config.cmd : options.command;
  std::vector<std::string> command = config.entrypoint;
  command.insert(command.end(), words.begin(), words.end());
  options.command = std::move(command);
  if (options.command.empty())
    return refuse(Errc::invalid_spec, Stage::validate, "no command given, and none in the image",
                  "sockctl run --image " + options.image + " -- COMMAND...");
  if (options.cwd.empty()) options.cwd = config.workdir;
  // An image is a stranger's: it does not make its payload the machine's root.
  const bool may_be_used = identity && (identity->uid != 0 || !options.userns.empty());
  if (options.user.empty() && may_be_used)
    options.user = std::to_string(identity->uid) + ":" + std::to_string(identity->gid);
  return options;
}

}  // namespace sockctl
