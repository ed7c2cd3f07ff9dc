// One request after another for each instance.

#include "bus.hpp"

#include <ranges>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include "blocking.hpp"
#include "dispatcher.hpp"
#include "event_queue.hpp"
#include "instance_pool.hpp"
#include "posix.hpp"
#include "sealed_memory.hpp"

namespace sockd {
namespace {

namespace asio = boost::asio;

constexpr unsigned most_depth = 16;

}  // namespace

struct Bus::Connection {
  std::string application;
  BusSocket socket;
  unsigned depth = 0;
  bool is_working = false;  ///< On a request.
};

void Bus::attach(Dispatcher& dispatcher, EventQueue& events) {
  dispatcher_ = &dispatcher;
  events_ = &events;
}

Bus::ConnectionPtr Bus::connect(const std::string& application, sock::UniqueFd socket) {
  auto connection = std::make_shared<Connection>(Connection{
      .application = application, .socket = BusSocket{loop_, std::move(socket), most_bus_message}});
  asio::co_spawn(loop_, serve(connection), asio::detached);
  return connection;
}

void Bus::set_depth(const ConnectionPtr& connection, unsigned depth) {
  if (connection) connection->depth = depth;
}

bool Bus::is_at_rest(const ConnectionPtr& connection) {
  return !connection || (!connection->is_working && connection->socket.is_at_rest());
}

void Bus::close(const ConnectionPtr& connection) {
  if (connection) connection->socket.close();
}

asio::awaitable<void> Bus::serve(ConnectionPtr connection) {
  for (;;) {
    auto message = co_await connection->socket.receive();
    if (!message) break;
    if (message->text.empty()) continue;
    connection->is_working = true;
    Answer reply = co_await answer(connection, std::move(*message));
    const bool sent = co_await connection->socket.send(std::move(reply.text), reply.file);
    if (!sent) break;
    connection->is_working = false;
  }
  connection->socket.close();
}

asio::awaitable<Bus::Answer> Bus::answer(ConnectionPtr connection, BusMessage message) {
  auto request = parse_bus_request(message.text);
  if (!request.has_value()) co_return Answer{.text = bus_error(request.error())};
  if (request->kind == BusRequest::Kind::invoke)
    co_return co_await invoke(connection, std::move(*request), std::move(message.file));
  DataName of{.application = connection->application, .name = std::move(request->name)};
  switch (request->kind) {
    case BusRequest::Kind::put:
      co_return co_await put(std::move(of), std::move(message.file), request->time_to_live);
    case BusRequest::Kind::get:
      co_return co_await get(std::move(of));
    case BusRequest::Kind::remove:
      co_return co_await remove(std::move(of));
    default:
      co_return co_await add(std::move(of), request->by, request->time_to_live);
  }
}

asio::awaitable<Bus::Answer> Bus::invoke(ConnectionPtr connection, BusRequest request,
                                         sock::UniqueFd file) {
  const auto found = pool_.find(request.name);
  const bool is_ours = found && found->deployed->stored.spec.application == connection->application;
  if (!is_ours)
    co_return Answer{.text =
                         bus_error("not_found", fmt::format("the application has no function '{}'",
                                                            sock::printable(request.name)))};
  if (connection->depth + 1 >= most_depth)
    co_return Answer{.text = bus_error("exhausted", "calls are nested too deeply")};
  if (file) {
    auto read = [&file] { return read_sealed(file, most_payload); };
    auto event = co_await run_blocking(copiers_, read);
    if (!event.has_value()) co_return Answer{.text = bus_error(event.error())};
    request.event = std::move(*event);
    file.reset();
  }
  if (!request.waits) {
    std::string id = new_request_id();
    const auto accepted = co_await events_->accept(request.name, "application", request.event, id);
    if (!accepted.has_value()) co_return Answer{.text = bus_error(accepted.error())};
    co_return Answer{.text = bus_result("\"" + id + "\"")};
  }
  CallRequest call{.function = request.name,
                   .event = std::move(request.event),
                   .id = new_request_id(),
                   .source = "application",
                   .depth = connection->depth + 1};
  Outcome outcome = co_await dispatcher_->call(std::move(call));
  if (outcome.kind != Outcome::Kind::result) co_return Answer{.text = bus_error(outcome)};
  std::string text = bus_result(outcome.body);
  if (text.size() <= most_bus_message) co_return Answer{.text = std::move(text)};
  co_return co_await as_file(connection->application, std::move(outcome.body));
}

// The file is not of the memory of the instance that gets it, and may be kept by that.
asio::awaitable<Bus::Answer> Bus::as_file(std::string application, std::string result) {
  auto& lent = lent_[application];
  if (lent.bytes() + result.size() > most_lent_) lent.look();
  if (lent.bytes() + result.size() > most_lent_)
    co_return Answer{.text = bus_error("exhausted", "the application has too many results still")};
  const auto file = open_memory();
  if (!file.has_value()) co_return Answer{.text = bus_error(file.error())};
  auto own = open_again(*file);
  if (!own.has_value()) co_return Answer{.text = bus_error(own.error())};
  // From now on it is somebody's.
  auto theirs = open_again(*file);
  if (!theirs.has_value()) co_return Answer{.text = bus_error(theirs.error())};
  lent.add(std::move(*own), result.size());
  auto fill = [&]() -> sock::Result<> {
    SOCKCTL_TRY(sockctl::write_all(*file, result));
    return seal_memory(*file);
  };
  const auto filled = co_await run_blocking(copiers_, fill);
  if (!filled.has_value()) co_return Answer{.text = bus_error(filled.error())};
  co_return Answer{.text = bus_file(), .file = std::move(*theirs)};
}

void Bus::forget_results() {
  for (auto& lent : lent_ | std::views::values) lent.look();
  std::erase_if(lent_, [](const auto& each) { return each.second.files() == 0; });
}

asio::awaitable<Bus::Answer> Bus::put(DataName of, sock::UniqueFd file,
                                      std::chrono::milliseconds time_to_live) {
  if (!file) co_return Answer{.text = bus_error("invalid_spec", "an object comes as a file")};
  const auto size = require_sealed(file);
  if (!size.has_value()) co_return Answer{.text = bus_error(size.error())};
  SealedObject object{.file = std::move(file), .size = *size};
  const auto done = co_await data_.put(std::move(of), std::move(object), time_to_live);
  if (!done.has_value()) co_return Answer{.text = bus_error(done.error())};
  co_return Answer{.text = bus_result("null")};
}

asio::awaitable<Bus::Answer> Bus::get(DataName of) {
  auto object = co_await data_.get(std::move(of));
  if (!object.has_value()) co_return Answer{.text = bus_error(object.error())};
  co_return Answer{.text = bus_file(), .file = std::move(*object)};
}

asio::awaitable<Bus::Answer> Bus::remove(DataName of) {
  const auto was_there = co_await data_.remove(std::move(of));
  if (!was_there.has_value()) co_return Answer{.text = bus_error(was_there.error())};
  co_return Answer{.text = bus_result(*was_there ? "true" : "false")};
}

asio::awaitable<Bus::Answer> Bus::add(DataName of, std::int64_t by,
                                      std::chrono::milliseconds time_to_live) {
  const auto value = co_await data_.add(std::move(of), by, time_to_live);
  if (!value.has_value()) co_return Answer{.text = bus_error(value.error())};
  co_return Answer{.text = bus_result(std::to_string(*value))};
}

}  // namespace sockd
