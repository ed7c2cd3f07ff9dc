// sockctl zygote profile: imports modules, each in a zygote of its own, and says what that costs.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "held_zygote.hpp"
#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "state_dir.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

struct Profile {
  std::string module;
  std::chrono::nanoseconds import_time{};
  std::uint64_t memory = 0;  ///< What it adds to a bare interpreter.
  std::string failure = {};  ///< Empty: it can be forked from.
};

Result<std::uint64_t> anonymous_of(const sock::Zygote& zygote) {
  const auto memory = SOCKCTL_TRY(zygote.memory());
  return memory.anonymous;
}

Result<Profile> profile(sock::Zygote& bare, std::uint64_t bare_memory, const std::string& module,
                        const std::vector<std::string>& paths) {
  Profile result{.module = module};
  auto zygote = bare.grow({.modules = {module}, .paths = paths});
  if (!zygote.has_value()) {
    if (zygote.error().stage != Stage::import_modules) return std::unexpected(zygote.error());
    result.failure = zygote.error().message();
    return result;
  }
  result.import_time = zygote->import_time();
  const auto memory = SOCKCTL_TRY(anonymous_of(*zygote));
  result.memory = memory - std::min(memory, bare_memory);
  return result;
}

Result<std::vector<Profile>> profile_all(const Globals& globals,
                                         const ZygoteProfileOptions& options) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto settings = SOCKCTL_TRY(host_options(globals, state));
  auto host = SOCKCTL_TRY(sock::Host::open(settings));
  auto run = SOCKCTL_TRY(resolve(options.run, current_caller()));
  run.name = SOCKCTL_TRY(random_name());
  const auto spec = SOCKCTL_TRY(domain_spec(run, options.python));
  auto domain = SOCKCTL_TRY(host.open_domain(spec));
  auto bare = SOCKCTL_TRY(domain.start_zygote());
  const auto bare_memory = SOCKCTL_TRY(anonymous_of(bare));
  std::vector<Profile> profiles;
  for (const auto& module : options.modules)
    profiles.push_back(SOCKCTL_TRY(profile(bare, bare_memory, module, options.paths)));
  return profiles;
}

Result<bool> show(Format format, const Globals& globals, const ZygoteProfileOptions& options) {
  nlohmann::json all = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  bool good = true;
  for (const auto& found : SOCKCTL_TRY(profile_all(globals, options))) {
    const bool fit = found.failure.empty();
    good = good && fit;
    rows.push_back(
        {found.module,
         fit ? fmt::format("{:.1f} ms", static_cast<double>(found.import_time.count()) / 1e6) : "-",
         fit ? human_size(found.memory) : "-", fit ? "yes" : found.failure});
    all.push_back({{"module", found.module},
                   {"import_ns", found.import_time.count()},
                   {"memory", found.memory},
                   {"fork_safe", fit},
                   {"failure", found.failure}});
  }
  constexpr auto right = Column::Align::right;
  SOCKCTL_TRY(print_list(format, all,
                         {{"MODULE"}, {"IMPORT", right}, {"MEMORY", right}, {"FORK-SAFE"}}, rows));
  return good;
}

}  // namespace

int zygote_profile(const Globals& globals, const ZygoteProfileOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto good = show(*format, globals, options);
  if (!good.has_value()) return fail(good.error());
  return *good ? 0 : 1;
}

}  // namespace sockctl
