#pragma once

// Outcomes and errors as HTTP. Pure.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "call.hpp"
#include "http_server.hpp"

namespace sockd {

HttpResponse json_reply(http::status status, const nlohmann::json& body);
HttpResponse text_reply(http::status status, std::string text);
/// {"error": {"code", "message"}}, with the status that fits.
HttpResponse error_reply(const sock::Error& error);

/// As AWS Lambda answers Invoke: a function that has failed is a success of the service.
/// `wants_log`: the end of what was printed goes with it.
HttpResponse lambda_reply(const Outcome& outcome, const std::string& id, bool wants_log);
HttpResponse lambda_error(http::status status, std::string_view type, const std::string& id,
                          std::string message);
/// Of an event that nobody waits for: 202, or why it was not accepted.
HttpResponse lambda_accepted(const sock::Result<>& accepted, const std::string& id);
HttpResponse plain_accepted(const sock::Result<>& accepted, const std::string& id);
/// As OpenLambda and OpenFaaS answer: what the handler has returned, or 500 and below.
HttpResponse plain_reply(const Outcome& outcome, const std::string& id);

}  // namespace sockd
