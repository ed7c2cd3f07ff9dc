// What a request is for.

#include "sockd/routes.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

using enum Route::Kind;

struct Expected {
  const char* method;
  const char* target;
  Route::Kind kind;
  Rights needs;
  const char* name = "";
  const char* methods = "";
};

constexpr Expected all[] = {
    {"GET", "/", page, Rights::none},
    {"HEAD", "", page, Rights::none},
    {"POST", "/", wrong_method, Rights::none, "", "GET"},
    {"GET", "/healthz", health, Rights::none},
    {"GET", "/metrics", metrics, Rights::call},
    {"POST", "/metrics", wrong_method, Rights::call, "", "GET"},
    {"GET", "/status?x=1", status, Rights::call},
    {"POST", "/2015-03-31/functions/f/invocations", invoke, Rights::call, "f"},
    {"POST", "//2015-03-31//functions/f/invocations/", invoke, Rights::call, "f"},
    {"GET", "/2015-03-31/functions/f/invocations", wrong_method, Rights::call, "f", "POST"},
    {"POST", "/2015-03-31/functions/f", no_such_path, Rights::call},
    {"POST", "/2015-03-31/functions/f/invocations/x", no_such_path, Rights::call},
    {"POST", "/run/f", run, Rights::call, "f"},
    {"POST", "/function/f", run, Rights::call, "f"},
    {"POST", "/async-function/f", run_later, Rights::call, "f"},
    {"POST", "/run/%2e%2e", run, Rights::call, "%2e%2e"},
    {"POST", "/run/a/b", no_such_path, Rights::call},
    {"POST", "/run", no_such_path, Rights::call},
    {"POST", "/run/*", run, Rights::call, "*"},
    {"POST", "/*/f", no_such_path, Rights::call},
    {"GET", "/api/functions", list, Rights::everything},
    {"POST", "/api/functions", wrong_method, Rights::everything, "", "GET"},
    {"GET", "/api/functions/f", inspect, Rights::everything, "f"},
    {"PUT", "/api/functions/f", put, Rights::everything, "f"},
    {"DELETE", "/api/functions/f", remove, Rights::everything, "f"},
    {"PATCH", "/api/functions/f", wrong_method, Rights::everything, "f", "GET, PUT, DELETE"},
    {"GET", "/api/functions/f/logs?lines=5", logs, Rights::everything, "f"},
    {"GET", "/api/functions/f/dead-letters", dead_letters, Rights::everything, "f"},
    {"POST", "/api/functions/f/dead-letters", revive, Rights::everything, "f"},
    {"DELETE", "/api/functions/f/dead-letters", forget_dead, Rights::everything, "f"},
    {"GET", "/api/functions/f/code", no_such_path, Rights::call},
    {"get", "/", wrong_method, Rights::none, "", "GET"},
    {"", "", wrong_method, Rights::none, "", "GET"},
    {"GET", "http://else/", no_such_path, Rights::call},
    {"OPTIONS", "*", no_such_path, Rights::call},
};

TEST(Routes, AreWhatTheyAreFor) {
  for (const auto& expected : all) {
    SCOPED_TRACE(std::string{expected.method} + " " + expected.target);
    const Route route = route_of(expected.method, expected.target);
    EXPECT_EQ(route.kind, expected.kind);
    EXPECT_EQ(route.needs, expected.needs);
    EXPECT_EQ(route.name, expected.name);
    EXPECT_EQ(route.methods, expected.methods);
  }
}

TEST(Routes, HaveAQuery) {
  EXPECT_EQ(route_of("GET", "/api/functions/f/logs?after=1?2").query, "after=1?2");
  EXPECT_EQ(route_of("GET", "/status?").query, "");
  EXPECT_EQ(route_of("GET", "/status").query, "");
  EXPECT_EQ(route_of("GET", "/?/healthz").kind, page);
}

}  // namespace
}  // namespace sockd
