#pragma once

// HTTP/1.1 over TCP and unix sockets. What a request means is the handler's; here it is read,
// within bounds and deadlines, and answered.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "sock/fd.hpp"

#include "try.hpp"

namespace sockd {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;

/// Who may be at the other end.
enum class Peer : std::uint8_t {
  owner,     ///< Whoever may open the unix socket of the state directory.
  stranger,  ///< Anybody.
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual asio::awaitable<HttpResponse> handle(HttpRequest request, Peer peer) = 0;
  /// Bytes that the body of this request may have: its header is all there is yet.
  [[nodiscard]] virtual std::size_t most_body(const http::request_header<>& header,
                                              Peer peer) const = 0;
  /// The answer to a body of more than these.
  [[nodiscard]] virtual HttpResponse too_large(const http::request_header<>& header, Peer peer,
                                               std::size_t most) const = 0;
  /// Told of every answer. `request`: the beginning of its line, as it came; empty when it was
  /// none.
  virtual void answered(std::string_view request, const HttpResponse& response) = 0;
};

/// Thread-bound, to the loop.
class HttpServer {
 public:
  HttpServer(asio::io_context& loop, HttpHandler& handler)
      : loop_{loop}, handler_{handler}, answered_{loop} {}

  /// "127.0.0.1:8080", "[::1]:8080". Gives the address with the port that it has got.
  sock::Result<std::string> listen_tcp(const std::string& address);
  /// One that listens already, passed by whoever has started us; strangers come to it. Gives its
  /// address. On failure: Errc::invalid_spec for what is no such socket, or, unless they must show
  /// a token, reaches beyond this machine.
  sock::Result<std::string> listen_passed(sock::UniqueFd socket, bool needs_token);
  /// One that is left by somebody dead is replaced; only its owner may open it.
  sock::Result<> listen_unix(const std::string& path, Peer peer);
  /// Takes no more connections, and one request at most of each that there is.
  void close();
  /// Ends when all requests are answered, or at the deadline.
  asio::awaitable<void> wait_for_answers(std::chrono::steady_clock::time_point deadline);

 private:
  using Stream = beast::basic_stream<asio::generic::stream_protocol>;
  /// A share of it, as long as this lives: which is longer than the server, where the loop ends in
  /// the middle of a request.
  class Room {
   public:
    Room(std::shared_ptr<std::size_t> total, std::size_t own)
        : total_{std::move(total)}, own_{own} {
      *total_ += own_;
    }
    ~Room() { *total_ -= own_; }
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

   private:
    std::shared_ptr<std::size_t> total_;
    std::size_t own_;
  };
  template <class Acceptor>
  asio::awaitable<void> accept_all(std::shared_ptr<Acceptor> acceptor, Peer peer);
  asio::awaitable<void> rest();
  asio::awaitable<void> serve(Stream stream, Peer peer);
  using Parser = http::request_parser<http::string_body>;
  static asio::awaitable<beast::error_code> read_body(Stream& stream, beast::flat_buffer& buffer,
                                                      Parser& parser);
  /// Of `bodies_`, for one of this length.
  static std::size_t room_for(std::size_t length, Peer peer);
  static asio::awaitable<void> linger(Stream& stream);
  asio::awaitable<bool> serve_one(Stream& stream, beast::flat_buffer& buffer, Peer peer);
  asio::awaitable<HttpResponse> answer(HttpRequest request, Peer peer);
  template <class Acceptor>
  void start(Acceptor acceptor, Peer peer);

  asio::io_context& loop_;
  HttpHandler& handler_;
  std::vector<std::function<void()>> closers_ = {};
  std::map<Peer, std::size_t> connections_ = {};
  /// Bytes that those who send, or wait for an answer, may take.
  std::shared_ptr<std::size_t> bodies_ = std::make_shared<std::size_t>(0);
  std::size_t requests_ = 0;     ///< That are not answered yet.
  asio::steady_timer answered_;  ///< Cancelled when one is.
  bool is_closing_ = false;
};

}  // namespace sockd
