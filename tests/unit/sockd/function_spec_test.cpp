// function.toml

#include "sockd/function_spec.hpp"

#include <gtest/gtest.h>

namespace sockd {
namespace {

using namespace std::chrono_literals;

TEST(FunctionFile, NeedsAHandlerAlone) {
  EXPECT_EQ(parse_function("handler = \"main:handler\"").value(),
            (FunctionSpec{.handler = "main:handler"}));
}

TEST(FunctionFile, SaysHowAFunctionIsRun) {
  const auto spec = parse_function(R"(
runtime = "python"
handler = "app:web.main"
wsgi = true
packages = ["Foo_Bar==1.2", "pandas"]
imports = ["foo.bar"]
memory = "64m"
timeout = "1.5s"
concurrency = 3
instances = "fresh"
application = "shop"
[env]
A = "1=2"
B = ""
)");
  ASSERT_TRUE(spec.has_value()) << spec.error().message();
  EXPECT_EQ(*spec, (FunctionSpec{.handler = "app:web.main",
                                 .wsgi = true,
                                 .packages = {{"foo-bar", "1.2"}, {"pandas", ""}},
                                 .imports = {"foo.bar"},
                                 .memory = 64U << 20U,
                                 .timeout = 1500ms,
                                 .concurrency = 3,
                                 .instances = FunctionSpec::Instances::fresh,
                                 .application = "shop",
                                 .env = {"A=1=2", "B="}}));
}

TEST(FunctionFile, SaysWhatAHandlerIs) {
  EXPECT_EQ(parse_function("runtime = \"native\"\nhandler = \"lib/f.so\"").value(),
            (FunctionSpec{.runtime = FunctionRuntime::native, .handler = "lib/f.so"}));
  EXPECT_EQ(parse_function("runtime = \"exec\"\nhandler = \"run\"\narguments = [\"-v\"]").value(),
            (FunctionSpec{.runtime = FunctionRuntime::exec,
                          .handler = "run",
                          .arguments = {"-v"},
                          .instances = FunctionSpec::Instances::fresh}));
}

TEST(FunctionFile, SaysHowEventsAreTriedAgain) {
  const auto spec =
      parse_function("handler = \"m:f\"\nretries = 0\nretry_delay = \"1.5s\"\nevent_age = \"2h\"");
  EXPECT_EQ(spec.value().events,
            (RetryPolicy{.retries = 0, .delay = 1500ms, .event_age = std::chrono::hours{2}}));
}

TEST(FunctionFile, SaysWhatMakesEvents) {
  const auto spec = parse_function(R"(
handler = "m:f"
[[schedule]]
cron = "*/5 * * * *"
event = '{"a": 1}'
[[schedule]]
cron = "@daily"
[[directory]]
path = "/srv/in"
[[directory]]
path = "/srv/more"
at = "/more"
)");
  ASSERT_TRUE(spec.has_value()) << spec.error().message();
  EXPECT_EQ(spec->schedules, (std::vector<Schedule>{{.cron = "*/5 * * * *", .event = R"({"a": 1})"},
                                                    {.cron = "@daily"}}));
  EXPECT_EQ(spec->directories, (std::vector<WatchedDirectory>{
                                   {.path = "/srv/in"}, {.path = "/srv/more", .at = "/more"}}));
}

TEST(FunctionFile, NamesWhatCannotBe) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"", "handler"},
      {"handler = 5", "handler"},
      {"handler = \":f\"", "handler"},
      {"handler = \"m:\"", "handler"},
      {"handler = \"--wsgi:f\"", "handler"},
      {"handler = \"m:f\"\nmemory = \"3m\"", "memory"},
      {"handler = \"m:f\"\nconcurrency = 1.5", "concurrency"},
      {"handler = \"m:f\"\nwsgi = \"yes\"", "wsgi"},
      {"handler = \"m:f\"\ninstances = \"few\"", "instances"},
      {"handler = \"m:f\"\nsandbox = \"mine\"", "sandbox"},
      {"handler = \"m:f\"\nsandbox = \"application\"", "sandbox"},
      {"handler = \"m:f\"\napplication = \"a\"\nsandbox = \"application\"\ninstances = \"fresh\"",
       "sandbox"},
      {"handler = \"f\"\nruntime = \"exec\"\napplication = \"a\"\nsandbox = \"application\"",
       "sandbox"},
      {"handler = \"m:f\"\napplication = \"a\"\nsandbox = \"application\"\n[[directory]]\npath = "
       "\"/in\"",
       "sandbox"},
      {"handler = \"m:f\"\nenv = 5", "env"},
      {"handler = \"m:f\"\n[env]\n\"A=B\" = \"1\"", "env.A=B"},
      {"handler = \"m:f\"\npackages = \"numpy\"", "packages"},
      {"handler = \"m:f\"\nimports = [\"os; x\"]", "imports"},
      {"handler = \"m:f\"\n[other]\n", "other"},
      {"handler = \"m:f\"\nhandler = \"m:g\"", "line 2"},
      {"handler = \"m:f\"\nruntime = \"ruby\"", "runtime"},
      {"handler = \"m:f\"\narguments = [\"x\"]", "arguments"},
      {"handler = \"m:f\"\nretries = -1", "retries"},
      {"handler = \"m:f\"\nretry_delay = 5", "retry_delay"},
      {"handler = \"m:f\"\nevent_age = \"1000h\"", "event_age"},
      {"handler = \"m:f\"\n[[schedule]]\n", "schedule.cron"},
      {"handler = \"m:f\"\n[[schedule]]\ncron = \"* * *\"", "cron"},
      {"handler = \"m:f\"\n[[schedule]]\ncron = \"@daily\"\nevent = \"{\"", "schedule.event"},
      {"handler = \"m:f\"\n[[schedule]]\ncron = \"@daily\"\nwhen = \"\"", "schedule.when"},
      {"handler = \"m:f\"\nschedule = \"@daily\"", "schedule"},
      {"handler = \"m:f\"\n[[directory]]\npath = \"in\"", "directory"},
      {"handler = \"m:f\"\n[[directory]]\npath = \"/in\"\nat = \"/../x\"", "directory"},
      {"runtime = \"native\"\nhandler = \"../f.so\"", "handler"},
      {"runtime = \"native\"\nhandler = \"/f.so\"", "handler"},
      {"runtime = \"native\"\nhandler = \"f.so\"\npackages = []", "packages"},
      {"runtime = \"exec\"\nhandler = \"a//b\"", "handler"},
      {"runtime = \"exec\"\nhandler = \"run\"\nwsgi = true", "wsgi"},
      {"runtime = \"exec\"\nhandler = \"run\"\ninstances = \"reused\"", "instances"},
  };
  for (const auto& [text, subject] : mistakes) {
    const auto spec = parse_function(text);
    ASSERT_FALSE(spec.has_value()) << text;
    EXPECT_EQ(spec.error().code, Errc::invalid_spec);
    EXPECT_NE(spec.error().subject.find(subject), std::string::npos) << spec.error().message();
  }
  EXPECT_FALSE(parse_function(std::string(most_function_text + 1, '#')).has_value());
}

TEST(FunctionNames, ArePartsOfPaths) {
  for (const char* const name : {"f", "my-function_2", "0"})
    EXPECT_TRUE(check_function_name(name).has_value()) << name;
  for (const std::string& name :
       {std::string{}, std::string{"-f"}, std::string{"_f"}, std::string{"a/b"}, std::string{".."},
        std::string{"a.b"}, std::string{"caf\xc3\xa9"}, std::string(65, 'x'),
        std::string{"a\0b", 3}})
    EXPECT_FALSE(check_function_name(name).has_value()) << name;
}

}  // namespace
}  // namespace sockd
