// A zygote and its domain, from several threads.

#include "held_zygote.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "package_cache.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "snapshot_store.hpp"

namespace sockctl {

Result<sock::ZygoteDomainSpec> domain_spec(const RunOptions& given, const std::string& python) {
  RunOptions options = given;
  options.command = {python};
  auto spec = SOCKCTL_TRY(to_spec(options, {}));
  return sock::ZygoteDomainSpec{.name = options.name,
                                .rootfs = std::move(spec.rootfs),
                                .interpreter = {python},
                                .env = environment(options.env, {}),
                                .resources = spec.resources};
}

HeldZygote::HeldZygote(ZygoteRequest request, std::optional<ZygoteSource> source)
    : Held{request.options}, request_{std::move(request)}, source_{std::move(source)} {
  if (source_) imports_ = source_->imports;
}

Result<> HeldZygote::open_domain(sock::Host& host) {
  auto spec = SOCKCTL_TRY(domain_spec(options(), request_.python));
  spec.runtime = SOCKCTL_TRY(parse_runtime(request_.runtime));
  packages_ = SOCKCTL_TRY(declare_packages(options(), spec.rootfs, spec.env));
  auto domain = SOCKCTL_TRY(host.open_domain(spec));
  return keep_domain(std::move(domain));
}

// Only the packages are not in the snapshot: they are kept from removal as long as they are in use.
Result<> HeldZygote::restore_domain(sock::Host& host) {
  auto spec = SOCKCTL_TRY(domain_spec(options(), request_.python));
  packages_ = SOCKCTL_TRY(declare_packages(options(), spec.rootfs, spec.env));
  const auto store = SOCKCTL_TRY(open_snapshot_store(source_->store));
  const auto snapshot = SOCKCTL_TRY(store.use(source_->snapshot));
  auto domain = SOCKCTL_TRY(
      host.open_domain(snapshot, {.name = options().name, .resources = spec.resources}));
  return keep_domain(std::move(domain));
}

Result<> HeldZygote::keep_domain(sock::ZygoteDomain domain) {
  {
    const std::scoped_lock lock{mutex_};
    domain_.emplace(std::move(domain));
  }
  if (abandoned()) return refuse(Errc::closed, Stage::none, name(), "it was given up");
  return {};
}

// Each zygote is forked from the one before, which is not needed any more: so each module has a
// time and an error of its own.
Result<sock::Zygote> HeldZygote::import_all(const Tell& tell) {
  auto zygote = SOCKCTL_TRY(domain_->start_zygote());
  for (const auto& module : request_.modules) {
    tell({{"event", "importing"}, {"module", module}});
    auto child = zygote.grow({.modules = {module}, .paths = request_.paths});
    if (!child.has_value()) {
      auto& subject = child.error().subject;
      if (!subject.starts_with(module)) subject.insert(0, module + ": ");
      return child;
    }
    SOCKCTL_TRY(zygote.kill());
    zygote = std::move(*child);
    tell({{"event", "imported"}, {"module", module}, {"ns", zygote.import_time().count()}});
    const std::scoped_lock lock{mutex_};
    imports_.push_back({.module = module, .time = zygote.import_time()});
  }
  return zygote;
}

Result<> HeldZygote::prepare(sock::Host& host, const Tell& tell) {
  SOCKCTL_TRY(source_ ? restore_domain(host) : open_domain(host));
  auto zygote = SOCKCTL_TRY(source_ ? domain_->start_zygote() : import_all(tell));
  SOCKCTL_TRY(zygote.keep_spares(request_.spares));
  const std::scoped_lock lock{mutex_};
  zygote_.emplace(std::move(zygote));
  return {};
}

Result<Held::Forked> HeldZygote::do_fork(const sock::ContainerSpec& spec,
                                         const std::vector<sock::Package>& declared) {
  if (!declared.empty())
    return refuse(Errc::invalid_spec, Stage::validate, "--require",
                  name() + " is a single zygote; see sockctl zygote tree apply");
  const auto runtime = SOCKCTL_TRY(parse_runtime(request_.runtime));
  SOCKCTL_TRY(check_forked_command(runtime, spec.argv));
  auto container = SOCKCTL_TRY(zygote_->fork(spec));
  return Forked{.container = std::move(container), .told = {}};
}

Result<sock::Snapshot> HeldZygote::checkpoint(sock::SnapshotStore& store,
                                              sock::CheckpointOptions options) {
  if (packages_) {
    const auto root = SOCKCTL_TRY(domain_spec(this->options(), request_.python)).rootfs;
    options.origins = SOCKCTL_TRY(origins_of(this->options(), root.base, *packages_));
  }
  options.annotation = annotate(request_, imports_);
  return zygote_->checkpoint(store, options);
}

Result<> HeldZygote::check_alive() const {
  pollfd ended{.fd = zygote_->pidfd().get(), .events = POLLIN, .revents = 0};
  const auto ready = wait_for({&ended, 1}, std::chrono::steady_clock::now());
  if (ready.has_value() && *ready == 0) return {};
  return refuse(
      Errc::closed, Stage::none, name(),
      fmt::format("the zygote has died; sockctl zygote rm {0}, then create {0} anew", name()));
}

Result<> HeldZygote::kill_domain() {
  return domain_ ? domain_->container().kill() : Result<>{};
}

Result<sock::Stats> HeldZygote::domain_stats() const {
  return domain_->container().stats();
}

void HeldZygote::describe_more(nlohmann::json& out) const {
  nlohmann::json modules = nlohmann::json::array();
  std::chrono::nanoseconds total{};
  for (const auto& import : imports_) {
    modules.push_back({{"name", import.module}, {"import_ns", import.time.count()}});
    total += import.time;
  }
  out["kind"] = "zygote";
  if (source_) out["snapshot"] = source_->snapshot;
  out["modules"] = std::move(modules);
  out["import_ns"] = total.count();
  out["spares"] = request_.spares;
  out["runtime"] = request_.runtime;
  out["python"] = request_.python;
  out["paths"] = request_.paths;
  if (!zygote_) return;
  out["pid"] = zygote_->pid();
  out["timings"] = to_json(domain_->container().timings());
  if (const auto memory = zygote_->memory(); memory.has_value())
    out["memory"] = {
        {"rss", memory->rss}, {"pss", memory->pss}, {"private", memory->private_memory}};
}

void HeldZygote::close() {
  zygote_.reset();
  domain_.reset();
}

}  // namespace sockctl
