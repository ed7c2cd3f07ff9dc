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
      {"handler = \"m:f\"\nenv = 5", "env"},
      {"handler = \"m:f\"\n[env]\n\"A=B\" = \"1\"", "env.A=B"},
      {"handler = \"m:f\"\npackages = \"numpy\"", "packages"},
      {"handler = \"m:f\"\nimports = [\"os; x\"]", "imports"},
      {"handler = \"m:f\"\n[other]\n", "other"},
      {"handler = \"m:f\"\nhandler = \"m:g\"", "line 2"},
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
