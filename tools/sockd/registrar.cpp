// A version is current only when everything that its instances need is there.

#include "registrar.hpp"

#include <ranges>

#include <boost/asio/post.hpp>

#include "blocking.hpp"
#include "posix.hpp"

namespace sockd {

std::vector<std::pair<std::string, sock::Error>> Registrar::serve_all() {
  std::vector<std::pair<std::string, sock::Error>> failures;
  const auto names = store_.names();
  if (!names.has_value()) return {{"functions", names.error()}};
  for (const auto& name : *names) {
    auto deployed = deploy(name);
    if (deployed.has_value())
      serve(*deployed);
    else
      failures.emplace_back(name, deployed.error());
  }
  retire_applications();
  // With one of them missing the realms see less than they will.
  if (failures.empty()) starter_->forget_earlier_roots();
  return failures;
}

Result<DeployedPtr> Registrar::deploy(const std::string& name) {
  auto function = SOCKCTL_TRY(store_.find(name));
  applications_[name] = function.spec.application;
  return starter_->deploy(std::move(function));
}

void Registrar::retire_applications() {
  const auto names = applications_ | std::views::values;
  starter_->retire_all_but({names.begin(), names.end()});
}

void Registrar::serve(const DeployedPtr& deployed) {
  pool_->serve(deployed);
  sources_->serve(deployed->stored);
}

Result<DeployedPtr> Registrar::add(const std::string& name, const std::string& archive,
                                   Existing existing) {
  const auto before = store_.find(name);
  if (before.has_value() && existing == Existing::none)
    return sockctl::refuse(Errc::exists, Stage::none, "function '" + name + "'",
                           "it is there already");
  if (!before.has_value() && existing == Existing::one) return std::unexpected(before.error());
  const auto file = SOCKCTL_TRY(sockctl::make_memory_file());
  SOCKCTL_TRY(sockctl::write_all(file, archive));
  SOCKCTL_TRY(sockctl::rewind_file(file));
  auto stored = SOCKCTL_TRY(store_.add(name, file));
  auto deployed = starter_->deploy(stored);
  const auto current = deployed.has_value() ? store_.make_current(stored) : Result<>{};
  if (!current.has_value()) deployed = std::unexpected(current.error());
  if (deployed.has_value())
    applications_[name] = stored.spec.application;
  else
    store_.forget(name, stored.version);
  retire_applications();
  if (deployed.has_value()) starter_->forget_earlier_roots();
  return deployed;
}

boost::asio::awaitable<Result<DeployedPtr>> Registrar::put(std::string name, std::string archive,
                                                           Existing existing) {
  auto work = [this, &name, &archive, existing] { return add(name, archive, existing); };
  auto deployed = co_await run_blocking(thread_, work);
  if (deployed.has_value()) serve(*deployed);
  co_return deployed;
}

boost::asio::awaitable<Result<>> Registrar::remove(std::string name) {
  auto work = [this, &name]() -> Result<> {
    SOCKCTL_TRY(store_.remove(name));
    applications_.erase(name);
    return {};
  };
  auto removed = co_await run_blocking(thread_, work);
  if (!removed.has_value()) co_return removed;
  sources_->withdraw(name);
  pool_->withdraw(name);
  co_return removed;
}

// Somebody may have put one of it there again meanwhile: then nothing is retired for it.
boost::asio::awaitable<void> Registrar::retire() {
  auto retire = [this]() -> Result<> {
    retire_applications();
    return {};
  };
  co_await run_blocking(thread_, retire);
}

void Registrar::forget(const StoredFunction& function) {
  boost::asio::post(thread_, [this, name = function.name, version = function.version] {
    store_.forget(name, version);
  });
}

}  // namespace sockd
