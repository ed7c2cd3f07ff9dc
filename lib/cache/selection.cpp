// Choosing packages: those that were asked for, then breadth first what they need.

#include "cache/selection.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "base/try.hpp"
#include "cache/marker.hpp"
#include "cache/metadata.hpp"
#include "cache/package_abi.hpp"
#include "cache/requirement.hpp"
#include "cache/version.hpp"

namespace sock::cache {
namespace {

/// One thing that is needed: a name, and which packages of that name will do.
struct Need {
  std::string text;  ///< For errors.
  std::function<bool(const CachedPackage&)> is_met_by;
  bool takes_prerelease = false;
};

bool is_prerelease(const CachedPackage& package) {
  const auto version = Version::parse(package.package.version);
  return version && version->is_prerelease();
}

bool provides(const CachedPackage& package, std::string_view debian_name) {
  constexpr std::string_view prefix = "python3-";
  // What came from elsewhere stands for the Debian package that is called after it.
  if (package.provides.empty())
    return prefix.size() < debian_name.size() &&
           package.package.name == debian_name.substr(prefix.size());
  return std::ranges::find(package.provides, debian_name) != package.provides.end();
}

// "python3-a | python3-b"
bool provides_any(const CachedPackage& package, std::string_view alternatives) {
  constexpr std::string_view separator = " | ";
  while (!alternatives.empty()) {
    const auto name = alternatives.substr(0, alternatives.find(separator));
    if (provides(package, name)) return true;
    alternatives.remove_prefix(std::min(alternatives.size(), name.size() + separator.size()));
  }
  return false;
}

class Selection {
 public:
  Selection(std::span<const CachedPackage> cached, const PackageRequest& request)
      : cached_{cached}, request_{request} {}

  Result<std::vector<std::size_t>> run() {
    for (const Package& wanted : request_.packages) SOCK_TRY(choose_wanted(wanted));
    if (request_.dependencies == Dependencies::follow)
      for (std::size_t i = 0; i < chosen_.size(); ++i) SOCK_TRY(choose_needed_by(chosen_[i]));
    return chosen_;
  }

 private:
  Result<> choose_wanted(const Package& wanted) {
    const Need need{.text = wanted.to_string(),
                    .is_met_by =
                        [&](const CachedPackage& package) {
                          return package.package.name == wanted.name &&
                                 (wanted.version.empty() ||
                                  compare_versions(package.package.version, wanted.version) == 0);
                        },
                    .takes_prerelease = !wanted.version.empty()};
    return choose(need, wanted.name, "");
  }

  Result<> choose_needed_by(std::size_t place) {
    const CachedPackage& needing = cached_[place];
    const std::string by = needing.package.to_string();
    for (const auto& text : needing.dependencies) {
      if (needing.kind == PackageSource::Kind::deb) {
        const Need need{.text = text, .is_met_by = [&](const CachedPackage& package) {
                          return provides_any(package, text);
                        }};
        SOCK_TRY(choose(need, "", by));
        continue;
      }
      const auto requirement = SOCK_TRY(parse_requirement(text));
      if (!requirement.marker.empty() && !SOCK_TRY(holds(requirement.marker, request_.python)))
        continue;
      const Need need{.text = text,
                      .is_met_by =
                          [&](const CachedPackage& package) {
                            return package.package.name == requirement.name &&
                                   allows(requirement.specifiers, package.package.version);
                          },
                      .takes_prerelease = asks_for_prerelease(requirement.specifiers)};
      SOCK_TRY(choose(need, requirement.name, by));
    }
    return {};
  }

  // `name` is that of the package, where the need has one; `by` who needs it.
  Result<> choose(const Need& need, std::string_view name, const std::string& by) {
    for (const auto place : chosen_) {
      const CachedPackage& there = cached_[place];
      if (need.is_met_by(there)) return {};
      if (there.package.name == name)
        return base::refuse(Errc::invalid_spec, Stage::validate, need.text,
                            (by.empty() ? "asked for" : "needed by " + by) + ", beside " +
                                there.package.to_string());
    }
    const auto found = newest(need);
    if (!found) return missing(need, by);
    for (const auto place : chosen_)
      if (cached_[place].package.name == cached_[*found].package.name)
        return base::refuse(Errc::invalid_spec, Stage::validate, need.text,
                            "needed by " + by + ", beside " + cached_[place].package.to_string());
    chosen_.push_back(*found);
    return {};
  }

  // The first that is no pre-release, unless one is asked for or nothing else is there.
  std::optional<std::size_t> newest(const Need& need) const {
    std::optional<std::size_t> prerelease;
    for (std::size_t i = 0; i < cached_.size(); ++i) {
      if (!suits(cached_[i].abi, request_.python) || !need.is_met_by(cached_[i])) continue;
      if (need.takes_prerelease || !is_prerelease(cached_[i])) return i;
      if (!prerelease) prerelease = i;
    }
    return prerelease;
  }

  std::unexpected<Error> missing(const Need& need, const std::string& by) const {
    std::string others;
    for (const auto& package : cached_)
      if (need.is_met_by(package)) others += (others.empty() ? "" : ", ") + package.abi;
    std::string why = by.empty() ? "" : "needed by " + by + "; ";
    why += others.empty()
               ? "not in the package cache"
               : "in the package cache for " + others + ", not for Python " + request_.python;
    return base::refuse(Errc::not_found, Stage::validate, need.text, std::move(why));
  }

  const std::span<const CachedPackage> cached_;
  const PackageRequest& request_;
  std::vector<std::size_t> chosen_;
};

}  // namespace

Result<std::vector<std::size_t>> select_packages(std::span<const CachedPackage> cached,
                                                 const PackageRequest& request) {
  SOCK_TRY(check_python(request.python));
  return Selection{cached, request}.run();
}

}  // namespace sock::cache
