#pragma once

// One running container of a function.

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "sock/container.hpp"

#include "bus.hpp"
#include "conversation.hpp"
#include "output.hpp"

namespace sockd {

/// What a starter has made.
struct StartedInstance {
  std::shared_ptr<const void> origin;  ///< Where it comes from, which must outlive it.
  sock::Container container;
  Channel channel;
  sock::UniqueFd output;
  sock::UniqueFd bus;            ///< Of a function of an application.
  std::string path = {};         ///< "spare", "zygote", "snapshot" or "created": how it came to be.
  std::string zygote;            ///< Of which node.
  std::string fallback;          ///< Why it did not come from a better one.
  bool has_all_packages = true;  ///< Imported already, of those that it declares.
};

/// Thread-bound, to the loop; but container() is for whoever has it at the moment.
class Instance {
 public:
  using Clock = std::chrono::steady_clock;

  /// `bus`: empty for a function of no application.
  Instance(boost::asio::io_context& loop, boost::asio::thread_pool& workers,
           StartedInstance started, Bus::ConnectionPtr bus);
  ~Instance();

  /// As Conversation::call.
  boost::asio::awaitable<Reply> call(const Call& call, unsigned depth, Clock::time_point deadline) {
    Bus::set_depth(bus_, depth);
    return conversation_->call(call, deadline);
  }

  /// Whether its payload runs and is silent, as far as is known: it may end or speak at any time.
  [[nodiscard]] bool may_be_called();
  /// Whether nothing on the bus is left of calls that are over.
  [[nodiscard]] bool is_bus_at_rest() const { return Bus::is_at_rest(bus_); }
  [[nodiscard]] sock::Container& container() noexcept { return container_; }
  /// For whoever ends the instance, and may wait for the end of its origin.
  [[nodiscard]] std::shared_ptr<const void> origin() const noexcept { return origin_; }
  [[nodiscard]] Output& output() noexcept { return *output_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& zygote() const noexcept { return zygote_; }
  [[nodiscard]] const std::string& fallback() const noexcept { return fallback_; }
  /// Whether it came with all packages imported that it declares.
  [[nodiscard]] bool had_all_packages() const noexcept { return had_all_packages_; }

 private:
  std::shared_ptr<const void> origin_;
  sock::Container container_;
  std::unique_ptr<Conversation> conversation_;
  std::shared_ptr<Output> output_;
  Bus::ConnectionPtr bus_;
  std::string path_;
  std::string zygote_;
  std::string fallback_;
  bool had_all_packages_;
};

}  // namespace sockd
