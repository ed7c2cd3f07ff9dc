// A zygote and its domain, from several threads.

#include "held_zygote.hpp"

#include <array>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "log_writer.hpp"
#include "parse.hpp"
#include "posix.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds patience{10};

Result<sock::ZygoteDomainSpec> domain_spec(const ZygoteRequest& request) {
  RunOptions options = request.options;
  options.name = request.name;
  options.command = {request.python};
  auto spec = SOCKCTL_TRY(to_spec(options, {}));
  return sock::ZygoteDomainSpec{.name = request.name,
                                .rootfs = std::move(spec.rootfs),
                                .interpreter = {request.python},
                                .env = environment(options.env, {}),
                                .resources = spec.resources};
}

}  // namespace

HeldZygote::HeldZygote(ZygoteRequest request)
    : request_{std::move(request)}, created_{timestamp()} {}

Result<> HeldZygote::open_domain(sock::Host& host) {
  const auto spec = SOCKCTL_TRY(domain_spec(request_));
  auto domain = SOCKCTL_TRY(host.open_domain(spec));
  const std::scoped_lock lock{mutex_};
  if (abandoned_) return refuse(Errc::closed, Stage::none, request_.name, "it was given up");
  domain_.emplace(std::move(domain));
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
      child.error().subject = module + ": " + child.error().subject;
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

Result<> HeldZygote::start(sock::Host& host, const Tell& tell) {
  SOCKCTL_TRY(open_domain(host));
  auto zygote = SOCKCTL_TRY(import_all(tell));
  SOCKCTL_TRY(zygote.keep_spares(request_.spares));
  const std::scoped_lock lock{mutex_};
  zygote_.emplace(std::move(zygote));
  state_ = State::ready;
  return {};
}

void HeldZygote::abandon() {
  const std::scoped_lock lock{mutex_};
  abandoned_ = true;
  // Whoever waits for an answer from a zygote in it gets an end instead.
  if (domain_) (void)domain_->container().kill();
}

bool HeldZygote::has_ended() const {
  pollfd ended{.fd = zygote_->pidfd().get(), .events = POLLIN, .revents = 0};
  const auto ready = wait_for({&ended, 1}, std::chrono::steady_clock::now());
  return !ready.has_value() || *ready > 0;
}

Result<HeldZygote::Lease> HeldZygote::lease() {
  const std::scoped_lock lock{mutex_};
  if (state_ == State::importing)
    return refuse(Errc::exhausted, Stage::none, request_.name, "it is still importing; try again");
  if (state_ == State::removed)
    return refuse(Errc::not_found, Stage::none, request_.name, "it is being removed");
  if (has_ended())
    return refuse(Errc::closed, Stage::none, request_.name,
                  fmt::format("the zygote has died; sockctl zygote rm {0}, then create {0} anew",
                              request_.name));
  ++leases_;
  return Lease{this};
}

void HeldZygote::EndLease::operator()(HeldZygote* zygote) const {
  const std::scoped_lock lock{zygote->mutex_};
  --zygote->leases_;
  zygote->lease_ended_.notify_all();
}

Result<sock::Container> HeldZygote::fork(const sock::ContainerSpec& spec) {
  auto container = SOCKCTL_TRY(zygote_->fork(spec));
  const std::scoped_lock lock{mutex_};
  ++forks_;
  return container;
}

nlohmann::json HeldZygote::describe() const {
  constexpr std::array names{"importing", "ready", "removed"};
  const std::scoped_lock lock{mutex_};
  nlohmann::json modules = nlohmann::json::array();
  std::chrono::nanoseconds total{};
  for (const auto& import : imports_) {
    modules.push_back({{"name", import.module}, {"import_ns", import.time.count()}});
    total += import.time;
  }
  const std::chrono::nanoseconds age = std::chrono::steady_clock::now() - start_;
  nlohmann::json out{{"name", request_.name},     {"state", names[static_cast<int>(state_)]},
                     {"modules", modules},        {"import_ns", total.count()},
                     {"spares", request_.spares}, {"forks", forks_},
                     {"running", leases_},        {"created", created_},
                     {"age_ns", age.count()},     {"python", request_.python},
                     {"paths", request_.paths},   {"options", to_json(request_.options)}};
  out["host_pid"] = ::getpid();
  if (!zygote_) return out;
  out["pid"] = zygote_->pid();
  const auto memory = zygote_->memory();
  if (memory.has_value())
    out["memory"] = {
        {"rss", memory->rss}, {"pss", memory->pss}, {"private", memory->private_memory}};
  else
    out["state"] = "dead";
  return out;
}

Result<nlohmann::json> HeldZygote::stats() const {
  const std::scoped_lock lock{mutex_};
  nlohmann::json out = nlohmann::json::object();
  if (domain_) {
    const auto now = SOCKCTL_TRY(domain_->container().stats());
    out = to_json(now);
  }
  out["name"] = request_.name;
  out["forks"] = forks_;
  out["running"] = leases_;
  if (!request_.options.memory.empty())
    out["memory_max"] = SOCKCTL_TRY(parse_size("--memory", request_.options.memory));
  return out;
}

Result<> HeldZygote::remove(bool force) {
  std::unique_lock lock{mutex_};
  if (state_ == State::importing)
    return refuse(Errc::exists, Stage::none, request_.name,
                  "it is still importing; end its sockctl zygote create");
  if (leases_ > 0 && !force)
    return refuse(Errc::exists, Stage::none, request_.name,
                  fmt::format("{} of its containers run; sockctl zygote rm --force", leases_));
  state_ = State::removed;
  if (domain_) SOCKCTL_TRY(domain_->container().kill());
  if (!lease_ended_.wait_for(lock, patience, [&] { return leases_ == 0; }))
    return refuse(Errc::timed_out, Stage::kill, request_.name, "a container does not end");
  zygote_.reset();
  domain_.reset();
  return {};
}

}  // namespace sockctl
