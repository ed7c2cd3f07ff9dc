// What the page may do is told to the browser with it: run its own script, use its own style, and
// ask the server that it came from. Text cannot become markup (require-trusted-types-for).

#include "page.hpp"

#include <fmt/format.h>

#include "embedded.hpp"

namespace sockd {

HttpResponse status_page() {
  HttpResponse response{http::status::ok, 11};
  response.set(http::field::content_type, "text/html; charset=utf-8");
  response.set(
      "Content-Security-Policy",
      fmt::format("default-src 'none'; script-src '{}'; style-src '{}'; "
                  "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                  "frame-ancestors 'none'; require-trusted-types-for 'script'; "
                  "trusted-types 'none'",
                  embedded::script_hash, embedded::style_hash));
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set(http::field::cache_control, "no-cache");
  response.body() = embedded::page;
  return response;
}

}  // namespace sockd
