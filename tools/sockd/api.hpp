#pragma once

// What the daemon answers to each request of routes.hpp.

#include <chrono>
#include <optional>
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
#include "refusal_log.hpp"
#include "registrar.hpp"
#include "routes.hpp"

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
  Metrics& metrics;
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
  void answered(std::string_view request, const HttpResponse& response) override;
  /// Now and then: of those that have no line of their own, how many there were.
  void tell_refusals();

 private:
  [[nodiscard]] Rights rights_of(const http::request_header<>& header, Peer peer) const;
  /// To a request with Rights::none.
  [[nodiscard]] HttpResponse denial() const;

  /// Nothing, for whoever has these rights.
  [[nodiscard]] std::optional<HttpResponse> refusal_of(const Route& route, Rights rights) const;

  asio::awaitable<HttpResponse> serve(const Route& route, HttpRequest& request);
  asio::awaitable<HttpResponse> call_as_lambda(HttpRequest& request, std::string_view name);
  asio::awaitable<HttpResponse> call(HttpRequest& request, std::string_view name);
  asio::awaitable<HttpResponse> call_later(HttpRequest& request, std::string_view name);
  asio::awaitable<HttpResponse> put_one(HttpRequest& request, const std::string& name);
  asio::awaitable<HttpResponse> remove_one(const std::string& name);
  asio::awaitable<HttpResponse> tell_dead_letters(const std::string& name);
  asio::awaitable<HttpResponse> revive_events(const std::string& name);
  asio::awaitable<HttpResponse> forget_events(const std::string& name);
  [[nodiscard]] HttpResponse tell_status() const;
  [[nodiscard]] HttpResponse tell_metrics() const;
  [[nodiscard]] HttpResponse tell_all() const;
  [[nodiscard]] HttpResponse tell_one(const std::string& name) const;
  asio::awaitable<HttpResponse> tell_logs(std::string name, std::string query);

  ApiParts parts_;
  std::string token_;
  RefusalLog refusals_ = {};
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace sockd
