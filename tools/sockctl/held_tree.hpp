#pragma once

// An import tree that the background Host holds: an import cache, and the thread that tends it.

#include <map>
#include <optional>
#include <stop_token>
#include <thread>

#include "sock/import_cache.hpp"

#include "held.hpp"

namespace sockctl {

/// What `zygote tree apply` asks for. The root and the limits are in `options`.
struct TreeRequest {
  std::string python;
  std::string packages;  ///< On the host: directories NAME/VERSION. Empty: none.
  std::string memory;    ///< A size: the most that all zygotes may hold. Empty: the library's own.
  std::string stored;    ///< On the host: a directory for snapshots. Empty: none.
  std::string stored_max;  ///< A size, as `memory`.
  std::size_t grow_to;     ///< Nodes; 0: the tree stays as it is.
  std::size_t spares;
  bool ahead;  ///< Start all nodes at once.
  RunOptions options;
};
nlohmann::json to_json(const TreeRequest& request);
/// May throw nlohmann::json::exception.
Result<TreeRequest> tree_request_from_json(const nlohmann::json& json);

class HeldTree final : public Held {
 public:
  HeldTree(TreeRequest request, sock::ImportTree tree, sock::ImportCosts costs);
  ~HeldTree() override;

  [[nodiscard]] Result<std::string> export_tree() const override;

 private:
  Result<> prepare(sock::Host& host, const Tell& tell) override;
  Result<Forked> do_fork(const sock::ContainerSpec& spec,
                         const std::vector<sock::Package>& declared) override;
  Result<> check_alive() const override;
  Result<> kill_domain() override;
  Result<sock::Stats> domain_stats() const override;
  void describe_more(nlohmann::json& out) const override;
  void close() override;

  Result<sock::ImportCacheSpec> cache_spec() const;
  Result<> start_ahead(const Tell& tell);
  void tend(const std::stop_token& stop);

  const TreeRequest request_;
  const sock::ImportTree tree_;
  const sock::ImportCosts costs_;
  std::map<sock::Package, std::string> directories_ = {};  ///< On the host.
  std::optional<sock::ImportCache> cache_ = {};  ///< Set under mutex_ of Held, before it is ready.
  std::jthread tender_ = {};                     ///< Before the cache in destruction.
};

}  // namespace sockctl
