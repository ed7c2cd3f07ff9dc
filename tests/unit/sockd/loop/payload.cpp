// The doubles of what is between sockd and a payload: a starter that only creates, a conversation
// with whoever does what its event says, and a bus that nobody is on.

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "machine.hpp"
#include "sockd/starter.hpp"

namespace sockd {
namespace {

using doubles::Machine;
namespace asio = boost::asio;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

Reply answered(Answer::Kind kind, std::string text) {
  return {.kind = Reply::Kind::answered, .answer = Answer{.kind = kind, .text = std::move(text)}};
}

/// "wait", "yield", "raise", "late", "gone", "broken": all else is given back.
class Obedient : public Conversation {
 public:
  explicit Obedient(asio::io_context& loop) : loop_{loop} {}

  asio::awaitable<Reply> call(const Call& call, Deadline /*deadline*/) override {
    auto& machine = Machine::current();
    ++machine.calls;
    machine.most_at_once = std::max(machine.most_at_once, ++machine.at_once);
    const std::string event{call.event};
    while (event == "\"wait\"" && !machine.is_open) co_await machine.gate.async_wait(as_values);
    for (int turns = 0; event == "\"yield\"" && turns < 5; ++turns)
      co_await asio::post(loop_, asio::use_awaitable);
    --machine.at_once;
    if (event == "\"raise\"")
      co_return answered(Answer::Kind::error,
                         R"({"type": "ValueError", "message": "no", "trace": []})");
    if (event == "\"late\"") co_return Reply{.kind = Reply::Kind::late};
    if (event == "\"gone\"") co_return Reply{.kind = Reply::Kind::gone};
    if (event == "\"broken\"") co_return Reply{.kind = Reply::Kind::broken, .reason = "it is none"};
    co_return answered(Answer::Kind::result, event);
  }
  bool is_silent() override { return true; }

 private:
  asio::io_context& loop_;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(asio::io_context& loop,
                                                asio::thread_pool& /*workers*/,
                                                Channel /*channel*/) {
  return std::make_unique<Obedient>(loop);
}

sock::Resources resources_of(const FunctionSpec& spec) {
  return {.memory_max = spec.memory};
}

Starter::Starter(sock::Host& host, StarterOptions options)
    : host_{&host}, options_{std::move(options)} {}

Result<StartedInstance> Starter::start(const Deployed& function, const std::string& /*request*/) {
  const auto& name = function.stored.name;
  if (Machine::current().refuses(name))
    return sockctl::refuse(Errc::io, Stage::none, name, "it cannot be started");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return sockctl::refuse(Errc::io, Stage::none, "pipe");
  const sock::UniqueFd writer{ends[1]};
  sock::UniqueFd reader{ends[0]};
  auto container = SOCKCTL_TRY(host_->create({.name = fmt::format("{}-{}", name, ++instances_),
                                              .rootfs = {},
                                              .argv = {},
                                              .resources = resources_of(function.stored.spec)}));
  return StartedInstance{.origin = {},
                         .container = std::move(container),
                         .channel = {.protocol = Channel::Protocol::calls, .to = {}},
                         .output = std::move(reader),
                         .path = "created",
                         .zygote = {},
                         .fallback = {}};
}

void Bus::set_depth(const ConnectionPtr& /*connection*/, unsigned /*depth*/) {}
bool Bus::is_at_rest(const ConnectionPtr& /*connection*/) {
  return true;
}
void Bus::close(const ConnectionPtr& /*connection*/) {}
Bus::ConnectionPtr Bus::connect(const std::string& /*application*/, sock::UniqueFd /*socket*/) {
  return {};
}

}  // namespace sockd
