#pragma once

// What the daemon answers at which path, and to whom.
//
//   POST /2015-03-31/functions/NAME/invocations   as AWS Lambda's Invoke
//   POST /run/NAME                                as OpenLambda
//   POST /function/NAME, /async-function/NAME     as OpenFaaS
//   GET  /                                        a page that shows /status
//   GET  /healthz, /metrics, /status
//   GET, PUT, DELETE /api/functions[/NAME[/logs]] for who runs it
//   GET, POST, DELETE .../NAME/dead-letters       shown, delivered after all, forgotten

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "call_log.hpp"
#include "dispatcher.hpp"
#include "event_queue.hpp"
#include "http_server.hpp"
#include "log_followers.hpp"
#include "metrics.hpp"
#include "registrar.hpp"

namespace sockd {

/// All of them outlive it.
struct ApiParts {
  Dispatcher& dispatcher;
  const InstancePool& pool;
  EventQueue& events;
  Registrar& registrar;
  const Starter& starter;
  const CallLog& log;
  LogFollowers& followers;
  const Metrics& metrics;
};

/// Thread-bound, to the loop.
class Api : public HttpHandler {
 public:
  /// `token`: what strangers must show for anything but the page and /healthz; empty: they may
  /// call functions and see the status, and no more.
  Api(ApiParts parts, std::string token) : parts_{parts}, token_{std::move(token)} {}

  asio::awaitable<HttpResponse> handle(HttpRequest request, Peer peer) override;
  [[nodiscard]] std::size_t most_body(const http::request_header<>& header,
                                      Peer peer) const override;
  [[nodiscard]] HttpResponse too_large(const http::request_header<>& header, Peer peer,
                                       std::size_t most) const override;

 private:
  enum class Rights : std::uint8_t { none, call, everything };
  [[nodiscard]] Rights rights_of(const http::request_header<>& header, Peer peer) const;
  /// To a request with Rights::none.
  [[nodiscard]] HttpResponse denial() const;

  asio::awaitable<HttpResponse> route(HttpRequest request, Rights rights);
  asio::awaitable<HttpResponse> invoke(HttpRequest& request, std::string_view name);
  asio::awaitable<HttpResponse> run(HttpRequest& request, std::string_view name);
  asio::awaitable<HttpResponse> run_later(HttpRequest& request, std::string_view name);
  asio::awaitable<HttpResponse> dead_letters(const HttpRequest& request, const std::string& name);
  asio::awaitable<HttpResponse> manage(HttpRequest request, std::vector<std::string> path);
  [[nodiscard]] HttpResponse status() const;
  [[nodiscard]] HttpResponse metrics() const;
  [[nodiscard]] HttpResponse list() const;
  [[nodiscard]] HttpResponse inspect(const std::string& name) const;
  asio::awaitable<HttpResponse> logs(std::string name, std::string query);

  ApiParts parts_;
  std::string token_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace sockd
