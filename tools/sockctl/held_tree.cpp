// An import tree between commands.

#include "held_tree.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "held_zygote.hpp"
#include "json_values.hpp"
#include "package_dirs.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "run_options_json.hpp"

namespace sockctl {
namespace {

constexpr const char* packages_target = "/packages";

/// How soon a tree that is removed stops being tended, while nothing is due.
constexpr std::chrono::milliseconds glance{200};

nlohmann::json texts_of(const std::vector<sock::Package>& packages) {
  nlohmann::json texts = nlohmann::json::array();
  for (const auto& package : packages) texts.push_back(package.to_string());
  return texts;
}

}  // namespace

nlohmann::json to_json(const TreeRequest& request) {
  return {{"verb", "apply"},
          {"python", request.python},
          {"packages", request.packages},
          {"memory", request.memory},
          {"stored", request.stored},
          {"stored_max", request.stored_max},
          {"grow_to", request.grow_to},
          {"spares", request.spares},
          {"ahead", request.ahead},
          {"options", to_json(request.options)}};
}

Result<TreeRequest> tree_request_from_json(const nlohmann::json& json) {
  auto options = SOCKCTL_TRY(run_options_of(json.at("options")));
  return TreeRequest{.python = json.at("python"),
                     .packages = json.at("packages"),
                     .memory = json.at("memory"),
                     .stored = json.at("stored"),
                     .stored_max = json.at("stored_max"),
                     .grow_to = json.at("grow_to"),
                     .spares = json.at("spares"),
                     .ahead = json.at("ahead"),
                     .options = std::move(options)};
}

HeldTree::HeldTree(TreeRequest request, sock::ImportTree tree, sock::ImportCosts costs)
    : Held{request.options},
      request_{std::move(request)},
      tree_{std::move(tree)},
      costs_{std::move(costs)} {}

HeldTree::~HeldTree() {
  close();
}

Result<sock::ImportCacheSpec> HeldTree::cache_spec() const {
  auto domain = SOCKCTL_TRY(domain_spec(options(), request_.python));
  sock::ImportCacheSpec spec{
      .domain = std::move(domain), .tree = tree_, .costs = costs_, .spares = request_.spares};
  if (request_.ahead) spec.start = sock::TreeStart::ahead;
  spec.growth.nodes_max = request_.grow_to;
  if (!request_.memory.empty())
    spec.memory_max = SOCKCTL_TRY(parse_size("--tree-memory", request_.memory));
  if (!request_.stored.empty()) {
    spec.stored = sock::StoredZygotes{.directory = request_.stored};
    if (!request_.stored_max.empty())
      spec.stored->bytes_max = SOCKCTL_TRY(parse_size("--stored-max", request_.stored_max));
  }
  if (request_.packages.empty()) return spec;
  spec.domain.rootfs.binds.push_back({.source = request_.packages, .target = packages_target});
  for (const auto& [package, directory] : directories_)
    spec.paths[package] = package_target(package);
  return spec;
}

Result<> HeldTree::prepare(sock::Host& host, const Tell& tell) {
  if (!request_.packages.empty()) directories_ = SOCKCTL_TRY(list_package_dirs(request_.packages));
  auto spec = SOCKCTL_TRY(cache_spec());
  auto cache = SOCKCTL_TRY(host.open_import_cache(std::move(spec)));
  {
    const std::scoped_lock lock{mutex_};
    cache_.emplace(std::move(cache));
  }
  if (request_.ahead) SOCKCTL_TRY(start_ahead(tell));
  const std::scoped_lock lock{mutex_};
  tender_ = std::jthread{[this](const std::stop_token& stop) { tend(stop); }};
  return {};
}

Result<> HeldTree::start_ahead(const Tell& tell) {
  for (;;) {
    if (abandoned()) return refuse(Errc::closed, Stage::none, name(), "it was given up");
    const auto tended = SOCKCTL_TRY(cache_->tend());
    if (tended.action == sock::Tended::Action::nothing) return {};
    tell({{"event", "tended"},
          {"action", to_string(tended.action)},
          {"zygote", tended.zygote},
          {"reason", tended.reason}});
  }
}

void HeldTree::tend(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd due{.fd = cache_->due().get(), .events = POLLIN, .revents = 0};
    const auto ready = wait_for({&due, 1}, std::chrono::steady_clock::now() + glance);
    // A domain that cannot be opened again: requests are served by created containers meanwhile.
    if (ready.has_value() && *ready > 0) (void)cache_->tend().has_value();
  }
}

Result<Held::Forked> HeldTree::do_fork(const sock::ContainerSpec& wanted,
                                       const std::vector<sock::Package>& declared) {
  SOCKCTL_TRY(check_forked_command(sock::Runtime::python, wanted.argv));
  sock::ContainerSpec spec = wanted;
  for (const auto& package : declared)
    if (const auto found = directories_.find(package); found != directories_.end())
      spec.rootfs.binds.push_back({.source = found->second, .target = package_target(package)});
  auto start = SOCKCTL_TRY(cache_->fork(spec, declared));
  const nlohmann::json told{{"zygote", start.zygote},
                            {"origin", sock::to_string(start.container.origin())},
                            {"missing", texts_of(start.missing)},
                            {"fallback", start.fallback}};
  return Forked{.container = std::move(start.container), .told = told.dump()};
}

// What dies of it is started again; until then it serves by other means.
Result<> HeldTree::check_alive() const {
  return {};
}

Result<> HeldTree::kill_domain() {
  tender_.request_stop();  // Or it would open the domain again.
  return cache_ ? cache_->kill() : Result<>{};
}

Result<sock::Stats> HeldTree::domain_stats() const {
  return cache_->stats();
}

void HeldTree::describe_more(nlohmann::json& out) const {
  nlohmann::json nodes = nlohmann::json::array();
  std::size_t living = 0;
  double import_ms = 0;
  if (cache_)
    for (const auto& zygote : cache_->zygotes()) {
      if (zygote.replicas > 0) {
        ++living;
        import_ms += zygote.import_time.count();
      }
      nodes.push_back(to_json(zygote));
    }
  out["kind"] = "tree";
  out["living"] = living;
  out["nodes"] = std::move(nodes);
  out["import_ns"] = import_ms * 1e6;
  out["spares"] = request_.spares;
  out["python"] = request_.python;
  out["packages"] = request_.packages;
}

Result<std::string> HeldTree::export_tree() const {
  const std::scoped_lock lock{mutex_};
  if (!cache_) return refuse(Errc::exhausted, Stage::none, name(), "it is still being started");
  return cache_->tree().to_json();
}

void HeldTree::close() {
  tender_ = {};  // Stops it first.
  cache_.reset();
}

}  // namespace sockctl
