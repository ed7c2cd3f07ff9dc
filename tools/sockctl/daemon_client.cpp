// One request for each connection.

#include "daemon_client.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <nlohmann/json.hpp>

#include "json_values.hpp"

namespace sockctl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t most_reply = 64U << 20U;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::unexpected<Error> lost(const std::string& control, const boost::system::error_code& failed) {
  return refuse(Errc::closed, Stage::none, control, failed.message());
}

}  // namespace

std::string daemon_directory(const std::string& given) {
  if (!given.empty()) return given;
  const char* const variable = std::getenv("SOCKD_STATE");
  return variable != nullptr ? variable : "/var/lib/sock/sockd";
}

Result<DaemonReply> ask_daemon(const std::string& directory, const DaemonRequest& request) {
  const std::string control = daemon_directory(directory) + "/control";
  asio::io_context loop;
  asio::local::stream_protocol::socket socket{loop};
  boost::system::error_code failed;
  constexpr std::size_t most_path = 107;
  if (control.size() > most_path)
    return refuse(Errc::invalid_spec, Stage::validate, control, "a path of at most 107 bytes");
  socket.connect(asio::local::stream_protocol::endpoint{control}, failed);
  if (failed)
    return refuse(Errc::not_found, Stage::none, control,
                  failed.message() + "; is sockd running? sockctl serve starts it");
  http::request<http::string_body> message{http::string_to_verb(request.method), request.path, 11};
  message.set(http::field::host, "localhost");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = request.body;
  message.keep_alive(false);
  message.prepare_payload();
  http::write(socket, message, failed);
  if (failed) return lost(control, failed);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(most_reply);
  http::read(socket, buffer, parser, failed);
  if (failed) return lost(control, failed);
  DaemonReply reply{
      .status = parser.get().result_int(), .body = std::move(parser.get().body()), .headers = {}};
  for (const auto& field : parser.get())
    reply.headers[lower(std::string{field.name_string()})] = std::string{field.value()};
  return reply;
}

Error error_of(const DaemonReply& reply) {
  const auto json = parse_json(reply.body);
  std::string said = reply.body.substr(0, reply.body.find('\n'));
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    const auto& message = json["error"].value("message", nlohmann::json{});
    if (message.is_string()) said = message;
  }
  const bool is_mistake = reply.status == 400;
  return Error{.code = is_mistake ? Errc::invalid_spec : Errc::io,
               .stage = Stage::none,
               .subject = "sockd",
               .hint = std::move(said)};
}

}  // namespace sockctl
