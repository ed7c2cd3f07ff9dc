#pragma once

// One zygote that the background Host holds, alone in a domain of its own.

#include <optional>
#include <vector>

#include "sock/package_cache.hpp"

#include "held.hpp"

namespace sockctl {

/// What `zygote create` asks for. The root and the limits are in `options`.
struct ZygoteRequest {
  std::string name;
  std::vector<std::string> modules;
  std::vector<std::string> paths;  ///< In the root.
  std::string runtime;             ///< As given to --runtime.
  std::string python;              ///< Of runtime python.
  std::size_t spares;
  RunOptions options;
};
nlohmann::json to_json(const ZygoteRequest& request);

/// What a zygote has imported, and how long it took.
struct ZygoteImport {
  std::string module;
  std::chrono::nanoseconds time;
};
/// Where a zygote comes from that is not made by importing.
struct ZygoteSource {
  std::string store;
  std::string snapshot;
  std::vector<ZygoteImport> imports;
};
/// What a zygote's snapshot says of how it was made (Snapshot::annotation), and back.
std::string annotate(const ZygoteRequest& request, const std::vector<ZygoteImport>& imports);
struct RestorableZygote {
  ZygoteRequest request;
  ZygoteSource source;
};
/// On failure: it was written by another program than sockctl.
Result<RestorableZygote> restorable(const sock::Snapshot& snapshot, const std::string& store);
/// May throw nlohmann::json::exception.
Result<ZygoteRequest> zygote_request_from_json(const nlohmann::json& json);

/// The domain of a held zygote or tree, in which `python` is the interpreter.
Result<sock::ZygoteDomainSpec> domain_spec(const RunOptions& options, const std::string& python);

class HeldZygote final : public Held {
 public:
  explicit HeldZygote(ZygoteRequest request, std::optional<ZygoteSource> source = {});

  Result<sock::Snapshot> checkpoint(sock::SnapshotStore& store,
                                    sock::CheckpointOptions options) override;

 private:
  /// Restores it, or imports the modules one after the other. The error of an import names the
  /// module.
  Result<> prepare(sock::Host& host, const Tell& tell) override;
  Result<Forked> do_fork(const sock::ContainerSpec& spec,
                         const std::vector<sock::Package>& declared) override;
  Result<> check_alive() const override;
  Result<> kill_domain() override;
  Result<sock::Stats> domain_stats() const override;
  void describe_more(nlohmann::json& out) const override;
  void close() override;

  Result<> open_domain(sock::Host& host);
  Result<> restore_domain(sock::Host& host);
  Result<> keep_domain(sock::ZygoteDomain domain);
  Result<sock::Zygote> import_all(const Tell& tell);

  const ZygoteRequest request_;
  const std::optional<ZygoteSource> source_;
  std::optional<sock::PackagesInUse> packages_ = {};  ///< Of start() alone; outlives the domain.
  // Guarded by mutex_ of Held:
  mutable std::optional<sock::ZygoteDomain> domain_ = {};  ///< Stats go through container().
  std::optional<sock::Zygote> zygote_ = {};                ///< Before the domain in destruction.
  std::vector<ZygoteImport> imports_ = {};
};

}  // namespace sockctl
