#pragma once

// One running container of a function, and the channel by which it is called.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "sock/container.hpp"

#include "call_line.hpp"
#include "output.hpp"
#include "realm.hpp"

namespace sockd {

/// What a starter has made.
struct StartedInstance {
  std::shared_ptr<const Realm> realm;  ///< Where it comes from, which must outlive it.
  sock::Container container;
  sock::UniqueFd channel;
  sock::UniqueFd output;
  std::string path;      ///< "zygote", "snapshot" or "created": how it came to be.
  std::string zygote;    ///< Of which node.
  std::string fallback;  ///< Why it did not come from a better one.
};

/// How a call ended in its instance.
struct Reply {
  enum class Kind : std::uint8_t {
    answered,
    late,    ///< Not by the deadline.
    gone,    ///< The payload ended, or closed its channel.
    broken,  ///< What came was no answer.
  } kind;
  std::optional<Answer> answer = {};
  std::string reason = {};
};

/// Thread-bound, to the loop; but container() is for whoever has it at the moment.
class Instance {
 public:
  using Clock = std::chrono::steady_clock;

  Instance(boost::asio::io_context& loop, StartedInstance started);
  ~Instance();

  /// Sends a line and waits for the answer. Only after `answered` it can be called again.
  boost::asio::awaitable<Reply> call(std::string line, Clock::time_point deadline);

  /// Whether its payload still runs, as far as is known: it may end at any time.
  [[nodiscard]] bool is_alive() const;
  [[nodiscard]] sock::Container& container() noexcept { return container_; }
  /// For whoever ends the instance, and may wait for the end of the realm.
  [[nodiscard]] std::shared_ptr<const Realm> realm() const noexcept { return realm_; }
  [[nodiscard]] Output& output() noexcept { return *output_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& zygote() const noexcept { return zygote_; }
  [[nodiscard]] const std::string& fallback() const noexcept { return fallback_; }

 private:
  struct Alarm;
  std::shared_ptr<const Realm> realm_;
  sock::Container container_;
  boost::asio::local::stream_protocol::socket channel_;
  std::shared_ptr<Output> output_;
  std::string path_;
  std::string zygote_;
  std::string fallback_;
  std::string received_;
};

}  // namespace sockd
