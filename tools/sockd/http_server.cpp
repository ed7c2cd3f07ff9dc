// A coroutine for each connection.

#include "http_server.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <sstream>

#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace sockd {
namespace {

using sock::Errc;
using sock::Stage;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t most_connections = 4096;  // Of strangers, and of the owner.
constexpr std::size_t small_body = 64U << 10U;
constexpr std::size_t most_bodies = 256U << 20U;  // Of strangers, all that are not small.
constexpr std::size_t most_header = 16U << 10U;
constexpr std::size_t most_buffered = 64U << 10U;  // What a parser may want at once, of chunks too.
constexpr std::chrono::seconds read_time{30};      // For a request, or until the next one begins.
constexpr std::chrono::seconds write_time{30};
constexpr std::chrono::seconds linger_time{2};
constexpr std::chrono::milliseconds rest_time{50};
constexpr std::size_t most_unread = 64U << 20U;

std::unexpected<sock::Error> cannot_listen(const std::string& address, std::string why) {
  return sockctl::refuse(Errc::invalid_spec, Stage::none, "listen " + address, std::move(why));
}

/// For a body, beside those of others.
const beast::error_code no_room = make_error_code(boost::system::errc::no_buffer_space);

HttpResponse refusal_of(beast::error_code failed) {
  HttpResponse response{http::status::bad_request, 11};
  if (failed == http::error::header_limit)
    response.result(http::status::request_header_fields_too_large);
  if (failed == no_room) {
    response.result(http::status::service_unavailable);
    response.set(http::field::retry_after, "1");
  }
  response.body() = failed.message() + "\n";
  return response;
}

/// It is silent, or gone: nothing can be said to it.
bool is_over(beast::error_code failed) {
  return failed == http::error::end_of_stream || failed == http::error::partial_message ||
         failed == beast::error::timeout ||
         failed.category() == asio::error::get_system_category() ||
         failed.category() == asio::error::get_misc_category();
}

/// Method and target. Whatever follows could be as long as a header.
std::string beginning_of(const http::request_header<>& header) {
  constexpr std::size_t most = 256;
  const auto method = header.method_string();
  const auto target = header.target();
  std::string text{method.data(), method.size()};
  if (!target.empty()) text += ' ';
  text.append(target.data(), std::min(target.size(), most));
  return text;
}

/// What was asked for has been done: nobody is told to try again.
HttpResponse lost_answer(const HttpResponse& lost) {
  HttpResponse response{http::status::insufficient_storage, 11};
  if (const auto id = lost.find("X-Sock-Request-Id"); id != lost.end())
    response.set(id->name_string(), id->value());
  response.body() = "It was done, but there is no room for the answer: too many are not read.\n";
  return response;
}

}  // namespace

template <class Acceptor>
void HttpServer::start(Acceptor acceptor, Peer peer) {
  auto shared = std::make_shared<Acceptor>(std::move(acceptor));
  closers_.push_back([shared] {
    beast::error_code ignored;
    shared->close(ignored);
  });
  asio::co_spawn(loop_, accept_all(shared, peer), asio::detached);
}

sock::Result<std::string> HttpServer::listen_tcp(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return cannot_listen(address, "write ADDRESS:PORT");
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  unsigned short port = 0;
  const char* const end = address.data() + address.size();
  if (std::from_chars(address.data() + colon + 1, end, port).ptr != end)
    return cannot_listen(address, "a port is a number");
  beast::error_code failed;
  const auto ip = asio::ip::make_address(host, failed);
  if (failed) return cannot_listen(address, "an address is a number like 127.0.0.1");
  asio::ip::tcp::acceptor acceptor{loop_};
  const asio::ip::tcp::endpoint place{ip, port};
  acceptor.open(place.protocol(), failed);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) acceptor.bind(place, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return cannot_listen(address, failed.message());
  const std::string got =
      address.substr(0, colon + 1) + std::to_string(acceptor.local_endpoint(failed).port());
  start(std::move(acceptor), Peer::stranger);
  return got;
}

sock::Result<std::string> HttpServer::listen_passed(sock::UniqueFd socket, bool needs_token) {
  const std::string name = "socket " + std::to_string(socket.get());
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int is_listening = 0;
  socklen_t option_size = sizeof is_listening;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &option_size) != 0 ||
      is_listening == 0)
    return cannot_listen(name, "it is no socket that listens");
  beast::error_code failed;
  if (address.ss_family == AF_UNIX) {
    asio::local::stream_protocol::acceptor acceptor{loop_};
    acceptor.assign(asio::local::stream_protocol{}, socket.release(), failed);
    const auto path = acceptor.local_endpoint(failed).path();
    if (failed) return cannot_listen(name, failed.message());
    start(std::move(acceptor), Peer::stranger);
    return path;
  }
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6)
    return cannot_listen(name, "TCP or a unix socket");
  asio::ip::tcp::acceptor acceptor{loop_};
  acceptor.assign(address.ss_family == AF_INET ? asio::ip::tcp::v4() : asio::ip::tcp::v6(),
                  socket.release(), failed);
  const auto place = acceptor.local_endpoint(failed);
  if (failed) return cannot_listen(name, failed.message());
  if (!place.address().is_loopback() && !needs_token)
    return cannot_listen(name, "beyond this machine it needs token_file");
  start(std::move(acceptor), Peer::stranger);
  std::ostringstream text;
  text << place;
  return std::move(text).str();
}

sock::Result<> HttpServer::listen_unix(const std::string& path, Peer peer) {
  std::error_code ignored;
  if (std::filesystem::is_socket(path, ignored)) std::filesystem::remove(path, ignored);
  beast::error_code failed;
  asio::local::stream_protocol::acceptor acceptor{loop_};
  constexpr std::size_t most_path = 107;
  if (path.size() > most_path) return cannot_listen(path, "a path of at most 107 bytes");
  acceptor.open(asio::local::stream_protocol{}, failed);
  const auto mask = ::umask(0077);
  if (!failed) acceptor.bind(asio::local::stream_protocol::endpoint{path}, failed);
  ::umask(mask);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return cannot_listen(path, failed.message());
  start(std::move(acceptor), peer);
  return {};
}

void HttpServer::close() {
  is_closing_ = true;
  for (const auto& close_one : closers_) close_one();
  closers_.clear();
}

asio::awaitable<void> HttpServer::wait_for_answers(std::chrono::steady_clock::time_point deadline) {
  while (requests_ > 0 && std::chrono::steady_clock::now() < deadline) {
    answered_.expires_at(deadline);
    co_await answered_.async_wait(as_values);
  }
}

template <class Acceptor>
asio::awaitable<void> HttpServer::accept_all(std::shared_ptr<Acceptor> acceptor, Peer peer) {
  for (;;) {
    auto [failed, socket] = co_await acceptor->async_accept(as_values);
    if (!acceptor->is_open()) co_return;
    if (failed) co_await rest();
    if (failed || connections_[peer] >= most_connections) continue;  // It is closed.
    Stream stream{asio::generic::stream_protocol::socket{std::move(socket)}};
    asio::co_spawn(loop_, serve(std::move(stream), peer), asio::detached);
  }
}

// Without descriptors every attempt fails at once.
asio::awaitable<void> HttpServer::rest() {
  asio::steady_timer timer{loop_, rest_time};
  co_await timer.async_wait(as_values);
}

asio::awaitable<void> HttpServer::serve(Stream stream, Peer peer) {
  ++connections_[peer];
  beast::flat_buffer buffer{most_buffered};
  while (co_await serve_one(stream, buffer, peer)) {
  }
  beast::error_code ignored;
  stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  --connections_[peer];
}

// Small ones are few by the number of connections.
std::size_t HttpServer::room_for(std::size_t length, Peer peer) {
  return peer == Peer::owner || length <= small_body ? 0 : length;
}

// Whether there may be another.
asio::awaitable<bool> HttpServer::serve_one(Stream& stream, beast::flat_buffer& buffer, Peer peer) {
  Parser parser;
  parser.header_limit(most_header);
  parser.body_limit(boost::none);  // Its header decides.
  stream.expires_after(read_time);
  auto [bad_header, header_size] =
      co_await http::async_read_header(stream, buffer, parser, as_values);
  beast::error_code failed = bad_header;
  std::size_t most = 0;
  if (!failed) {
    most = handler_.most_body(parser.get().base(), peer);
    parser.body_limit(most);  // Of chunks; a length that is told is looked at here.
    if (parser.content_length().value_or(0) > most) failed = http::error::body_limit;
  }
  const std::string request = beginning_of(parser.get().base());
  HttpResponse response;
  {
    // What is not told before is as long as it may be.
    std::size_t length = 0;
    if (!failed) length = parser.chunked() ? most : parser.content_length().value_or(0);
    const std::size_t wanted = failed ? 0 : room_for(length, peer);
    if (*bodies_ + wanted > most_bodies) failed = no_room;
    const Room room{bodies_, failed ? 0 : wanted};
    if (!failed) failed = co_await read_body(stream, buffer, parser);
    if (failed && is_over(failed)) co_return false;
    ++requests_;
    if (failed) {
      const bool is_large = failed == http::error::body_limit;
      response =
          is_large ? handler_.too_large(parser.get().base(), peer, most) : refusal_of(failed);
    } else {
      stream.expires_never();
      response = co_await answer(parser.release(), peer);
    }
  }
  // Whoever does not read its answer holds that for a while.
  const std::size_t held = room_for(response.body().size(), peer);
  if (*bodies_ + held > most_bodies) {
    failed = no_room;
    response = lost_answer(response);
  }
  const Room room{bodies_, failed ? 0 : held};
  if (failed) response.keep_alive(false);
  if (failed) response.prepare_payload();
  handler_.answered(request, response);
  stream.expires_after(write_time);
  auto [unsent, size] = co_await http::async_write(stream, response, as_values);
  --requests_;
  answered_.cancel();
  if (failed) co_await linger(stream);
  co_return !unsent && response.keep_alive();
}

asio::awaitable<HttpResponse> HttpServer::answer(HttpRequest request, Peer peer) {
  const bool keeps_alive = request.keep_alive();
  const bool is_head = request.method() == http::verb::head;
  HttpResponse response = co_await handler_.handle(std::move(request), peer);
  response.keep_alive(keeps_alive && !is_closing_);
  response.prepare_payload();
  if (is_head) response.body().clear();
  co_return response;
}

asio::awaitable<beast::error_code> HttpServer::read_body(Stream& stream, beast::flat_buffer& buffer,
                                                         Parser& parser) {
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_on{http::status::continue_, 11};
    co_await http::async_write(stream, go_on, as_values);
  }
  auto [failed, size] = co_await http::async_read(stream, buffer, parser, as_values);
  co_return failed;
}

// Whoever still sends would otherwise lose the answer with the connection.
asio::awaitable<void> HttpServer::linger(Stream& stream) {
  beast::error_code ignored;
  stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  stream.expires_after(linger_time);
  std::string unread(most_header, '\0');
  for (std::size_t total = 0; total < most_unread;) {
    auto [failed, size] = co_await stream.async_read_some(asio::buffer(unread), as_values);
    if (failed) co_return;
    total += size;
  }
}

}  // namespace sockd
