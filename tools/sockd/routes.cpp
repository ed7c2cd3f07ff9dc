// A table of paths: each has a few methods.

#include "routes.hpp"

#include <algorithm>
#include <ranges>
#include <utility>
#include <vector>

namespace sockd {
namespace {

using Kind = Route::Kind;

struct Method {
  std::string_view name;
  Kind kind;
};

/// "*" stands for the name of a function.
struct Path {
  std::vector<std::string_view> parts;
  Rights needs;
  std::vector<Method> methods;
};

const std::vector<Path>& paths() {
  static const std::vector<Path> all{
      // It has nothing but what everybody may read in the source: it asks for the token itself.
      Path{{}, Rights::none, {{"GET", Kind::page}}},
      Path{{"healthz"}, Rights::none, {{"GET", Kind::health}}},
      Path{{"metrics"}, Rights::call, {{"GET", Kind::metrics}}},
      Path{{"status"}, Rights::call, {{"GET", Kind::status}}},
      Path{{"2015-03-31", "functions", "*", "invocations"}, Rights::call, {{"POST", Kind::invoke}}},
      Path{{"run", "*"}, Rights::call, {{"POST", Kind::run}}},
      Path{{"function", "*"}, Rights::call, {{"POST", Kind::run}}},
      Path{{"async-function", "*"}, Rights::call, {{"POST", Kind::run_later}}},
      Path{{"api", "functions"}, Rights::everything, {{"GET", Kind::list}}},
      Path{{"api", "functions", "*"},
           Rights::everything,
           {{"GET", Kind::inspect}, {"PUT", Kind::put}, {"DELETE", Kind::remove}}},
      Path{{"api", "functions", "*", "logs"}, Rights::everything, {{"GET", Kind::logs}}},
      Path{{"api", "functions", "*", "dead-letters"},
           Rights::everything,
           {{"GET", Kind::dead_letters}, {"POST", Kind::revive}, {"DELETE", Kind::forget_dead}}},
  };
  return all;
}

using Parts = std::vector<std::string_view>;

// Names have no letters that are escaped in URLs, so nothing is unescaped; but see lambda_name().
Parts parts_of(std::string_view path) {
  Parts parts;
  for (const auto part : std::views::split(path, '/'))
    if (!part.empty()) parts.emplace_back(part.begin(), part.end());
  return parts;
}

bool is_like(const Parts& parts, const Path& path) {
  return std::ranges::equal(parts, path.parts, [](auto part, auto expected) {
    return expected == "*" || part == expected;
  });
}

std::string name_in(const Parts& parts, const Path& path) {
  const auto at = std::ranges::find(path.parts, "*") - path.parts.begin();
  return std::cmp_less(at, parts.size()) ? std::string{parts[static_cast<std::size_t>(at)]} : "";
}

std::string names_of(const std::vector<Method>& methods) {
  std::string names;
  for (const auto& method : methods) {
    if (!names.empty()) names += ", ";
    names += method.name;
  }
  return names;
}

}  // namespace

Route route_of(std::string_view method, std::string_view target) {
  if (method == "HEAD") method = "GET";
  const auto mark = std::min(target.find('?'), target.size());
  const Parts parts = parts_of(target.substr(0, mark));
  const auto path =
      std::ranges::find_if(paths(), [&](const Path& each) { return is_like(parts, each); });
  if (path == paths().end()) return {.kind = Kind::no_such_path, .needs = Rights::call};
  Route route{.kind = Kind::wrong_method, .needs = path->needs, .name = name_in(parts, *path)};
  route.query = target.substr(std::min(mark + 1, target.size()));
  const auto found = std::ranges::find(path->methods, method, &Method::name);
  if (found != path->methods.end())
    route.kind = found->kind;
  else
    route.methods = names_of(path->methods);
  return route;
}

}  // namespace sockd
