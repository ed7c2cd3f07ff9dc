// The Python runtime as a payload meets it: commands, scripts, modules, handlers; other
// interpreters.

#include <cstdlib>
#include <filesystem>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

using PythonRuntime = ZygoteTest;

TEST_F(PythonRuntime, RunsScriptsAndModulesAsAPromptWould) {
  write_module("program", "import sys\nprint(__name__, sys.argv, sys.path[0])\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ContainerSpec spec = command("");
  spec.rootfs = domain_root();
  spec.argv = {"python3", "/modules/program.py", "a", "b"};
  EXPECT_EQ(run_forked(zygote, spec).out, "__main__ ['/modules/program.py', 'a', 'b'] /modules\n");
  spec.cwd = "/modules";
  spec.argv = {"python3", "-m", "program", "x"};
  EXPECT_EQ(run_forked(zygote, spec).out, "__main__ ['/modules/program.py', 'x'] /modules\n");
  spec.argv = {"python3", "/modules/none.py"};
  const Outcome missing = run_forked(zygote, spec);
  EXPECT_NE(missing.err.find("No such file or directory"), std::string::npos) << missing.err;
  EXPECT_NE(missing.status.value, 0);
  spec.argv = {"python3", "-c", "def f(): 1/0\nf()"};
  const Outcome raised = run_forked(zygote, spec);
  EXPECT_NE(raised.err.find("ZeroDivisionError: division by zero"), std::string::npos);
  EXPECT_EQ(raised.err.find("sock_payload"), std::string::npos) << raised.err;
  EXPECT_EQ(raised.status.value, 1);
}

/// Where pyenv puts interpreters; the runtime is built once, for the stable ABI of 3.9.
std::vector<fs::path> other_pythons() {
  std::vector<fs::path> found;
  const char* const home = ::getenv("HOME");
  const fs::path versions = fs::path{home != nullptr ? home : "/"} / ".pyenv/versions";
  if (!fs::is_directory(versions)) return found;
  for (const auto& entry : fs::directory_iterator{versions}) {
    const std::string name = entry.path().filename();
    if (name.starts_with("3.") && std::atoi(name.c_str() + 2) >= 9) found.push_back(entry.path());
  }
  return found;
}

TEST_F(PythonRuntime, IsTheSameUnderOtherInterpreters) {
  const std::vector<fs::path> prefixes = other_pythons();
  if (prefixes.empty()) GTEST_SKIP() << "needs: another CPython from 3.9, as pyenv installs them";
  for (const fs::path& prefix : prefixes) {
    const Rootfs rootfs{.base = std::string{host_image},
                        .binds = {{.source = prefix, .target = prefix}}};
    auto domain = host().open_domain({.name = "domain",
                                      .rootfs = rootfs,
                                      .interpreter = {prefix / "bin/python3"},
                                      .deadline = 20s});
    ASSERT_TRUE(domain) << prefix << ": " << domain.error().message();
    Zygote zygote = first_zygote(*domain);
    auto child = zygote.grow({.modules = {"json", "threading"}});
    ASSERT_TRUE(child) << prefix << ": " << child.error().message();
    ContainerSpec spec = command("import sys, os\nprint(sys.version.split()[0], os.getpid())");
    spec.rootfs = rootfs;
    EXPECT_EQ(run_forked(*child, spec).out, prefix.filename().string() + " 1\n");
  }
}

class Handlers : public ZygoteTest {
 protected:
  Handler start(Zygote& zygote, std::vector<std::string> arguments) {
    ContainerSpec spec = command("");
    spec.rootfs = domain_root();
    spec.cwd = "/modules";
    spec.argv = {"python3", "-m", "sock_handler"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    return start_handler(zygote, spec);
  }
};

TEST_F(Handlers, AnswerEventsOneAfterAnother) {
  write_module("functions", "def double(event):\n    return event * 2\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  Handler handler = start(zygote, {"functions:double"});
  EXPECT_EQ(handler.call("21"), "{\"result\": 42}\n");
  EXPECT_EQ(handler.call("\"ab\""), "{\"result\": \"abab\"}\n");
  handler.channel.reset();
  EXPECT_TRUE(handler.container.wait()->ok());
}

TEST_F(Handlers, GetAContextWhereTheyTakeOne) {
  write_module("functions",
               "def handler(event, context):\n"
               "    return [event, context.aws_request_id, context.function_name]\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const Handler handler = start(zygote, {"functions:handler"});
  EXPECT_EQ(handler.call("{}"), "{\"result\": [{}, \"1\", \"functions:handler\"]}\n");
}

TEST_F(Handlers, AnswerWithAnErrorForWhateverGoesWrong) {
  write_module("functions",
               "import sys\n"
               "def fails(event): raise ValueError('no ' + event)\n"
               "def leaves(event): sys.exit(3)\n"
               "def odd(event): return {1, 2}\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  {
    const Handler handler = start(zygote, {"functions:fails"});
    const std::string answer = handler.call("\"way\"");
    EXPECT_NE(answer.find("\"type\": \"ValueError\", \"message\": \"no way\""), std::string::npos)
        << answer;
    EXPECT_NE(answer.find("in fails"), std::string::npos);
    EXPECT_EQ(answer.find("sock_handler"), std::string::npos) << "the runtime's own frames";
    EXPECT_NE(handler.call("not JSON").find("JSONDecodeError"), std::string::npos);
  }
  EXPECT_NE(start(zygote, {"functions:leaves"}).call("1").find("SystemExit"), std::string::npos);
  EXPECT_NE(start(zygote, {"functions:odd"}).call("1").find("TypeError"), std::string::npos);
}

TEST_F(Handlers, MayBeWsgiApplications) {
  write_module("webapp",
               "def app(environ, start_response):\n"
               "    body = environ['wsgi.input'].read() + environ['PATH_INFO'].encode()\n"
               "    start_response('201 Created', [('X-Kind', environ['HTTP_X_KIND'])])\n"
               "    return [body]\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  const Handler handler = start(zygote, {"--wsgi", "webapp:app"});
  EXPECT_EQ(handler.call(R"({"method": "POST", "path": "/p", "headers": {"X-Kind": "k"},)"
                         R"( "body": "YWI="})"),
            "{\"result\": {\"status\": 201, \"headers\": [[\"X-Kind\", \"k\"]], "
            "\"body\": \"YWIvcA==\"}}\n");
}

TEST_F(Handlers, EndWithAReasonWhenThereIsNoneOfThatName) {
  write_module("broken", "def f(:\n");
  ZygoteDomain domain = open_domain();
  Zygote zygote = first_zygote(domain);
  ContainerSpec spec = command("");
  spec.rootfs = domain_root();
  spec.cwd = "/modules";
  spec.fds = {{.name = "channel", .fd = FdRef{0}}};
  spec.argv = {"python3", "-m", "sock_handler", "broken:f"};
  const Outcome broken = run_forked(zygote, spec);
  EXPECT_NE(broken.err.find("SyntaxError"), std::string::npos) << broken.err;
  EXPECT_EQ(broken.status.value, 1);
  spec.argv.back() = "no_such:f";
  EXPECT_NE(run_forked(zygote, spec).err.find("No module named 'no_such'"), std::string::npos);
}

}  // namespace
}  // namespace sock::test
