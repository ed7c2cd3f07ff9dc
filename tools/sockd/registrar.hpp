#pragma once

// Puts functions into service and takes them out: one after another, in a thread of its own.

#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "event_sources.hpp"
#include "function_store.hpp"
#include "instance_pool.hpp"
#include "starter.hpp"

namespace sockd {

/// Thread-bound, to the loop.
class Registrar {
 public:
  Registrar(FunctionStore store, Starter& starter) : store_{std::move(store)}, starter_{&starter} {}

  /// Where functions are served. Before anything else.
  void attach(InstancePool& pool, EventSources& sources) {
    pool_ = &pool;
    sources_ = &sources;
  }
  /// Serves all that are in the store. Blocking. Gives what could not be served, and why.
  std::vector<std::pair<std::string, sock::Error>> serve_all();
  /// Of all that are in the store, served or not. Blocking, and before the loop runs.
  [[nodiscard]] Result<std::vector<std::string>> names() const { return store_.names(); }

  /// What must be there before: otherwise Errc::exists, or Errc::not_found.
  enum class Existing : std::uint8_t { any, none, one };
  /// On failure the version before goes on serving.
  boost::asio::awaitable<Result<DeployedPtr>> put(std::string name, std::string archive,
                                                  Existing existing);
  /// It is not served any more when this returns; what is left of it is the caller's to remove, at
  /// once: somebody may put another one of that name there. Then retire().
  boost::asio::awaitable<Result<>> remove(std::string name);
  /// Ends the zygotes of applications that have no function any more.
  boost::asio::awaitable<void> retire();
  /// Removes the files of a version that nobody runs any more.
  void forget(const StoredFunction& function);

 private:
  void serve(const DeployedPtr& deployed);
  Result<DeployedPtr> deploy(const std::string& name);
  Result<DeployedPtr> add(const std::string& name, const std::string& archive, Existing existing);
  void retire_applications();

  FunctionStore store_;
  Starter* starter_;
  InstancePool* pool_ = nullptr;
  EventSources* sources_ = nullptr;
  std::map<std::string, std::string> applications_ = {};  ///< Of each function in the store.
  boost::asio::thread_pool thread_{1};  ///< The only one that touches the store and these.
};

}  // namespace sockd
