// sockctl package fetch: Debian packages by apt-get, without installing them.

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>

#include "package_cache.hpp"
#include "package_compiler.hpp"
#include "package_json.hpp"
#include "package_verbs.hpp"
#include "parse.hpp"
#include "program.hpp"
#include "report.hpp"
#include "temporary_directory.hpp"

namespace sockctl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view python3 = "python3-";

/// The path of the file, in a directory of its own below `above`.
Result<std::string> download(const std::string& above, const std::string& debian) {
  const fs::path directory = fs::path{above} / debian;
  std::error_code failed;
  fs::create_directory(directory, failed);
  // Or it would complain that nobody but root can write there.
  SOCKCTL_TRY(run_program({"apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", debian},
                          directory.string()));
  for (const auto& entry : fs::directory_iterator{directory, failed}) return entry.path().string();
  return refuse(Errc::not_found, Stage::none, debian, "apt-get has downloaded nothing");
}

// The first of each group of alternatives, where it is a package for Python.
std::vector<std::string> python_names_in(std::string_view depends) {
  std::vector<std::string> names;
  while (!depends.empty()) {
    auto group = depends.substr(0, depends.find(','));
    depends.remove_prefix(std::min(depends.size(), group.size() + 1));
    group.remove_prefix(std::min(group.find_first_not_of(" \n"), group.size()));
    const auto name = group.substr(0, group.find_first_of(" (:|[\n"));
    if (name.starts_with(python3)) names.emplace_back(name);
  }
  return names;
}

class Fetch {
 public:
  Fetch(sock::PackageCache& cache, const TemporaryDirectory& downloads)
      : cache_{cache}, downloads_{downloads} {}

  Result<std::vector<sock::CachedPackage>> run(const std::vector<sock::Package>& wanted) {
    for (const auto& package : wanted) left_.push_back(std::string{python3} + package.name);
    const auto asked_for = left_.size();
    for (std::size_t i = 0; !left_.empty(); ++i) {
      const std::string debian = std::move(left_.front());
      left_.pop_front();
      if (SOCKCTL_TRY(is_there(debian))) continue;
      const auto done = take_in(debian);
      // One that others need may be the interpreter's own, or be called otherwise: what is missing
      // in the end, `run` says.
      if (!done.has_value() && i < asked_for) return std::unexpected(done.error());
      if (!done.has_value()) complain("left out: " + describe(done.error()));
    }
    return fetched_;
  }

 private:
  Result<bool> is_there(const std::string& debian) const {
    const auto all = SOCKCTL_TRY(cache_.list());
    return std::ranges::any_of(all, [&](const sock::CachedPackage& package) {
      return std::ranges::find(package.provides, debian) != package.provides.end();
    });
  }

  Result<> take_in(const std::string& debian) {
    sock::PackageSource source{.kind = sock::PackageSource::Kind::deb, .paths = {}};
    std::vector<std::string> parts{debian};
    // Some bring their extension modules in a package of its own, into the same directories:
    // python3-pandas-lib.
    for (std::size_t i = 0; i < parts.size(); ++i) {
      source.paths.push_back(SOCKCTL_TRY(download(downloads_.path(), parts[i])));
      const auto depends =
          SOCKCTL_TRY(run_program({"dpkg-deb", "-f", source.paths.back(), "Depends"}, "/"));
      for (auto& name : python_names_in(depends)) {
        const bool is_part = name.starts_with(debian + "-");
        if (!is_part)
          left_.push_back(std::move(name));
        else if (std::ranges::find(parts, name) == parts.end())
          parts.push_back(std::move(name));
      }
    }
    fetched_.push_back(SOCKCTL_TRY(cache_.add(source)));
    return {};
  }

  sock::PackageCache& cache_;
  const TemporaryDirectory& downloads_;
  std::deque<std::string> left_;
  std::vector<sock::CachedPackage> fetched_;
};

Result<> fetch(const Globals& globals, Format format, const PackageOptions& options,
               const std::vector<sock::Package>& wanted) {
  auto cache = SOCKCTL_TRY(open_package_cache(options.cache));
  const auto downloads = SOCKCTL_TRY(TemporaryDirectory::create());
  auto fetched = SOCKCTL_TRY(Fetch{cache, downloads}.run(wanted));
  if (!options.no_compile) fetched = compile_for_machine(globals, cache, std::move(fetched));
  return print_packages(format, fetched);
}

}  // namespace

int package_fetch(const Globals& globals, const PackageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto wanted = parse_requirements(options.packages);
  if (!wanted.has_value()) return fail_usage(wanted.error());
  const auto done = fetch(globals, *format, options, *wanted);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
