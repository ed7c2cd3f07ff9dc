// What all that is held has in common: its states, and who forks from it.

#include "held.hpp"

#include <array>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "log_writer.hpp"
#include "parse.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds patience{10};

}  // namespace

Held::Held(RunOptions options) : options_{std::move(options)}, created_{timestamp()} {}

bool Held::abandoned() const {
  const std::scoped_lock lock{mutex_};
  return abandoned_;
}

Result<> Held::start(sock::Host& host, const Tell& tell) {
  SOCKCTL_TRY(prepare(host, tell));
  const std::scoped_lock lock{mutex_};
  state_ = State::ready;
  return {};
}

void Held::abandon() {
  const std::scoped_lock lock{mutex_};
  abandoned_ = true;
  // Whoever waits for an answer from a zygote in it gets an end instead.
  (void)kill_domain();
}

Result<Held::Lease> Held::lease() {
  const std::scoped_lock lock{mutex_};
  if (state_ == State::importing)
    return refuse(Errc::exhausted, Stage::none, name(), "it is still importing; try again");
  if (state_ == State::removed)
    return refuse(Errc::not_found, Stage::none, name(), "it is being removed");
  SOCKCTL_TRY(check_alive());
  ++leases_;
  return Lease{this};
}

void Held::EndLease::operator()(Held* held) const {
  const std::scoped_lock lock{held->mutex_};
  --held->leases_;
  held->lease_ended_.notify_all();
}

Result<Held::Forked> Held::fork(sock::ContainerSpec spec,
                                const std::vector<sock::Package>& declared) {
  auto forked = SOCKCTL_TRY(do_fork(std::move(spec), declared));
  const std::scoped_lock lock{mutex_};
  ++forks_;
  return forked;
}

nlohmann::json Held::describe() const {
  constexpr std::array names{"importing", "ready", "removed"};
  const std::scoped_lock lock{mutex_};
  const std::chrono::nanoseconds age = std::chrono::steady_clock::now() - start_;
  nlohmann::json out{{"name", name()},         {"state", names[static_cast<int>(state_)]},
                     {"forks", forks_},        {"running", leases_},
                     {"created", created_},    {"age_ns", age.count()},
                     {"host_pid", ::getpid()}, {"options", to_json(options_)}};
  describe_more(out);
  if (state_ == State::ready && !check_alive().has_value()) out["state"] = "dead";
  return out;
}

Result<nlohmann::json> Held::stats() const {
  const std::scoped_lock lock{mutex_};
  nlohmann::json out = nlohmann::json::object();
  if (state_ == State::ready) {
    const auto now = SOCKCTL_TRY(domain_stats());
    out = to_json(now);
  }
  out["name"] = name();
  out["forks"] = forks_;
  out["running"] = leases_;
  if (!options_.memory.empty())
    out["memory_max"] = SOCKCTL_TRY(parse_size("--memory", options_.memory));
  return out;
}

Result<std::string> Held::export_tree() const {
  return refuse(Errc::unsupported, Stage::none, name(),
                "it is a single zygote, without a tree; see sockctl zygote tree apply");
}

Result<sock::Snapshot> Held::checkpoint(sock::SnapshotStore&, sock::CheckpointOptions) {
  return refuse(Errc::unsupported, Stage::checkpoint, name(),
                "it is an import tree; only single zygotes can be written into snapshots");
}

Result<> Held::remove(bool force) {
  {
    std::unique_lock lock{mutex_};
    if (state_ == State::importing)
      return refuse(Errc::exists, Stage::none, name(),
                    "it is still importing; end the command that makes it");
    if (leases_ > 0 && !force)
      return refuse(Errc::exists, Stage::none, name(),
                    fmt::format("{} of its containers run; sockctl zygote rm --force", leases_));
    state_ = State::removed;
    SOCKCTL_TRY(kill_domain());
    if (!lease_ended_.wait_for(lock, patience, [&] { return leases_ == 0; }))
      return refuse(Errc::timed_out, Stage::kill, name(), "a container does not end");
  }
  close();
  return {};
}

}  // namespace sockctl
