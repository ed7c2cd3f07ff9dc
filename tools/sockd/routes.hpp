#pragma once

// Which request is for what, and who may make it:
//
//   POST /2015-03-31/functions/NAME/invocations   as AWS Lambda's Invoke
//   POST /run/NAME                                as OpenLambda
//   POST /function/NAME, /async-function/NAME     as OpenFaaS
//   GET  /                                        a page that shows /status
//   GET  /healthz, /metrics, /status
//   GET, PUT, DELETE /api/functions[/NAME[/logs]] for who runs it
//   GET, POST, DELETE .../NAME/dead-letters       shown, delivered after all, forgotten
//
// Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace sockd {

/// Each may do what the one before may.
enum class Rights : std::uint8_t {
  none,
  call,  ///< Functions, and see the status.
  everything,
};

struct Route {
  enum class Kind : std::uint8_t {
    health,
    page,
    metrics,
    status,
    invoke,
    run,
    run_later,
    list,
    inspect,
    put,
    remove,
    logs,
    dead_letters,
    revive,
    forget_dead,
    wrong_method,
    no_such_path,
  };
  Kind kind;
  Rights needs;
  std::string name = {};     ///< Of a function, as it stands there.
  std::string query = {};    ///< What follows the question mark.
  std::string methods = {};  ///< Of Kind::wrong_method: those that this path has.
};

/// `method` as "GET", of which "HEAD" is a kind; `target` as it came.
Route route_of(std::string_view method, std::string_view target);

}  // namespace sockd
