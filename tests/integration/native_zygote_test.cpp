// Native zygotes: shared objects in C and C++ (tests/payloads/native), loaded and forked.

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <signal.h>
#include <unistd.h>

#include "zygote_fixture.hpp"

namespace sock::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Built beside the programs of libexec.
std::string object_directory() {
  return fs::path{SOCK_TEST_LIBEXEC "/../tests/payloads/native"}.lexically_normal();
}

class NativeZygotes : public ZygoteTest {
 protected:
  ZygoteDomain open_native() { return open_domain(native_spec()); }

  static ZygoteDomainSpec native_spec() {
    return {.name = "native",
            .rootfs = {.base = std::string{host_image},
                       .binds = {{.source = object_directory(), .target = "/objects"}}},
            .runtime = Runtime::native,
            .interpreter = {},
            .deadline = 20s};
  }

  static std::string path_of(const std::string& object) { return "/objects/" + object + ".so"; }

  static Zygote load(Zygote& zygote, const std::string& object) {
    auto child = zygote.grow({.modules = {path_of(object)}});
    EXPECT_TRUE(child) << child.error().message();
    return std::move(*child);
  }

  static Error import_error(Zygote& zygote, const ImportSpec& imports) {
    auto child = zygote.grow(imports);
    if (!child) return child.error();
    ADD_FAILURE() << "loaded after all";
    return {};
  }
  static Error load_error(Zygote& zygote, const std::string& object) {
    return import_error(zygote, {.modules = {path_of(object)}, .deadline = 3s});
  }

  /// The object's main() with these arguments, as nobody. Its root does not have the objects.
  static ContainerSpec call(std::vector<std::string> argv) {
    ContainerSpec spec = command("");
    spec.argv = std::move(argv);
    return spec;
  }

  Outcome outcome_of(Zygote& zygote, std::vector<std::string> argv) {
    return run_forked(zygote, call(std::move(argv)));
  }
};

TEST_F(NativeZygotes, RunTheMainOfAnObject) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  const Outcome outcome = outcome_of(zygote, {"tool", "say", "two words"});
  EXPECT_EQ(outcome.out, "1 tool say two words\n");
  EXPECT_EQ(outcome.err, "e\n");
  EXPECT_EQ(outcome.status, (ExitStatus{ExitStatus::Kind::exited, 7}));
  EXPECT_EQ(outcome_of(zygote, {"tool.so", "say"}).out, "1 tool.so say\n");
  EXPECT_EQ(outcome_of(zygote, {"/objects/tool.so", "say"}).out, "1 /objects/tool.so say\n");
  EXPECT_EQ(outcome_of(zygote, {"tool", "hook"}).out, "hook\n");
  EXPECT_GT(zygote.import_time(), 0ns);
}

TEST_F(NativeZygotes, ForkContainersThatHoldNothingButWhatTheirSpecSays) {
  ZygoteDomainSpec domain_spec = native_spec();
  domain_spec.env = {"SECRET=of the domain"};
  ZygoteDomain domain = open_domain(domain_spec);
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  ContainerSpec spec = call({"tool", "state"});
  spec.env = {"ONLY=this"};
  const Outcome outcome = run_forked(zygote, spec);
  EXPECT_EQ(outcome.out,
            "Name:\ttool.so\nUid:\t65534\t65534\t65534\t65534\n"
            "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
            "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
            "\nONLY=this\n/ 3 1 1\n0\n")
      << outcome.err;
  EXPECT_TRUE(outcome.status.ok()) << "a signal stayed ignored";
}

TEST_F(NativeZygotes, GiveContainersTheirOwnInput) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  TestPipe in_pipe = make_pipe();
  TestPipe out = make_pipe();
  ContainerSpec spec = call({"tool", "repeat"});
  spec.stdio = {.in = in_pipe.reader, .out = out.writer};
  auto container = zygote.fork(spec);
  ASSERT_TRUE(container) << container.error().message();
  ASSERT_EQ(::write(in_pipe.writer.get(), "typed\n", 6), 6);
  in_pipe.writer.reset();
  EXPECT_TRUE(container->wait()->ok());
  out.writer.reset();
  EXPECT_EQ(drain(out.reader), "typed\n");
}

TEST_F(NativeZygotes, HoldNoCapabilityInTheInitialUserNamespace) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  const fs::path proc = "/proc/" + std::to_string(zygote.pid());
  EXPECT_NE(fs::read_symlink(proc / "ns/user"), fs::read_symlink("/proc/self/ns/user"));
  std::istringstream map{content(proc / "uid_map")};
  std::uint32_t inside = 1;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  map >> inside >> outside >> count;
  EXPECT_EQ(inside, 0U);
  EXPECT_GE(outside, 65536U) << "an id of the machine";
  EXPECT_EQ(count, 65536U);
  const std::string status = content(proc / "status");
  EXPECT_NE(status.find("Uid:\t" + std::to_string(outside)), std::string::npos);
  EXPECT_NE(status.find("CapBnd:\t0000000000000000"), std::string::npos);
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(status.find("Seccomp:\t2"), std::string::npos);
}

TEST_F(NativeZygotes, GiveSiblingsNothingRandomInCommon) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  ASSERT_TRUE(zygote.keep_spares(2));
  // rand, random, drand48, the object's own
  expect_all_differ(10, [&] { return outcome_of(zygote, {"tool", "random"}).out; });
}

TEST_F(NativeZygotes, TellHowAPayloadEnded) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  EXPECT_EQ(outcome_of(zygote, {"tool", "crash"}).status,
            (ExitStatus{ExitStatus::Kind::signaled, SIGSEGV}));
  TestPipe out = make_pipe();
  ContainerSpec spec = call({"tool", "wait"});
  spec.stdio.out = out.writer;
  auto handles = zygote.fork(spec);
  ASSERT_TRUE(handles) << handles.error().message();
  read_until(out.reader, "up");
  ASSERT_TRUE(handles->signal(SIGTERM));
  EXPECT_EQ(*handles->wait(), (ExitStatus{ExitStatus::Kind::exited, 9}));
  spec.name = "another";
  auto killed = zygote.fork(spec);
  ASSERT_TRUE(killed) << killed.error().message();
  ASSERT_TRUE(killed->kill());
  EXPECT_EQ(*killed->wait(), (ExitStatus{ExitStatus::Kind::signaled, SIGKILL}));
}

TEST_F(NativeZygotes, GrowZygotesThatHaveLoadedMore) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote tool = load(bare, "tool");
  Zygote both = load(tool, "later_zero");
  EXPECT_EQ(outcome_of(both, {"tool", "say"}).out, "1 tool say\n");
  EXPECT_EQ(outcome_of(both, {"later_zero", "x"}).out, "2 later_zero\n");
  // It is there already: its init() has run once.
  Zygote again = load(both, "tool");
  EXPECT_NE(outcome_of(again, {"tool", "state"}).out.find(" 3 1 1\n"), std::string::npos);
  // Whoever ends, the others stay.
  ASSERT_TRUE(tool.kill());
  EXPECT_EQ(outcome_of(both, {"tool", "say"}).out, "1 tool say\n");
  auto afresh = domain.start_zygote();
  ASSERT_TRUE(afresh) << afresh.error().message();
  Zygote next = load(*afresh, "tool");
  EXPECT_EQ(outcome_of(next, {"tool", "say"}).out, "1 tool say\n");
}

TEST_F(NativeZygotes, KeepSparesThatAreForkedAhead) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  ASSERT_TRUE(zygote.keep_spares(3));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(outcome_of(zygote, {"tool", "say"}).out, "1 tool say\n");
  ASSERT_TRUE(zygote.keep_spares(0));
}

TEST_F(NativeZygotes, NameWhatIsWrongWithAnObject) {
  ZygoteDomain domain = open_native();
  Zygote zygote = first_zygote(domain);
  const Error missing = load_error(zygote, "missing");
  EXPECT_EQ(missing.stage, Stage::import_modules);
  EXPECT_EQ(missing.code, Errc::launch_failed);
  EXPECT_EQ(missing.subject,
            "/objects/missing.so: cannot open shared object file: No such file or directory");
  const auto subject = [&](const std::string& object) {
    return load_error(zygote, object).subject;
  };
  EXPECT_EQ(subject("unresolved"), "/objects/unresolved.so: undefined symbol: no_such_function");
  EXPECT_EQ(subject("plain"), "/objects/plain.so: it has no sock_handler_v1");
  const std::string one_of = ": its sock_handler_v1 must have one of main and handle";
  EXPECT_EQ(subject("neither"), "/objects/neither.so" + one_of);
  EXPECT_EQ(subject("both"), "/objects/both.so" + one_of);
  EXPECT_EQ(subject("without_size"),
            "/objects/without_size.so: the size of its sock_handler_v1 is wrong");
  EXPECT_EQ(subject("later_set"), "/objects/later_set.so: it needs a newer sock");
  EXPECT_EQ(import_error(zygote, {.modules = {"tool.so"}}).subject,
            "tool.so: an object is named by its whole path");
  EXPECT_EQ(import_error(zygote, {.modules = {"/etc/passwd"}}).subject,
            "/etc/passwd: invalid ELF header");
  EXPECT_EQ(import_error(zygote, {.modules = {path_of("tool")}, .paths = {"/objects"}}).subject,
            "a native zygote has no search path: name objects by their whole paths");
  Zygote good = load(zygote, "tool");
  EXPECT_EQ(outcome_of(good, {"tool", "say"}).out, "1 tool say\n");
}

TEST_F(NativeZygotes, NameWhatAnObjectDidInsteadOfBeingLoaded) {
  ZygoteDomain domain = open_native();
  Zygote zygote = first_zygote(domain);
  const auto subject = [&](const std::string& object) {
    return load_error(zygote, object).subject;
  };
  EXPECT_EQ(subject("refuses"), "/objects/refuses.so: its licence has expired");
  EXPECT_EQ(subject("exits"), "/objects/exits.so: it has called exit()");
  EXPECT_EQ(subject("starts_thread"), "/objects/starts_thread.so has started a thread");
  EXPECT_EQ(subject("starts_process"), "/objects/starts_process.so has left a process behind");
  EXPECT_EQ(subject("forks"), "/objects/forks.so has left a process behind");
  EXPECT_EQ(
      subject("shares_memory"),
      "/objects/shares_memory.so has mapped memory that is shared with its children: /dev/zero "
      "(deleted)");
  EXPECT_EQ(load_error(zygote, "leaves").code, Errc::closed);
  EXPECT_EQ(load_error(zygote, "crashes").code, Errc::closed);
  EXPECT_EQ(load_error(zygote, "closes_all").code, Errc::closed);
  EXPECT_EQ(load_error(zygote, "waits").code, Errc::timed_out);
  Zygote good = load(zygote, "waits_for_process");
  EXPECT_TRUE(outcome_of(good, {"waits_for_process"}).status.ok());
}

TEST_F(NativeZygotes, ReportAForkThatCannotRun) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "tool");
  const Error unknown = fork_error(zygote, call({"other", "say"}));
  EXPECT_EQ(unknown.stage, Stage::exec);
  EXPECT_EQ(unknown.code, Errc::not_found);
  EXPECT_EQ(unknown.subject, "other");
  EXPECT_EQ(fork_error(bare, call({"tool"})).code, Errc::not_found);
  ContainerSpec nowhere = call({"tool", "say"});
  nowhere.cwd = "/no/such/directory";
  EXPECT_EQ(fork_error(zygote, nowhere).subject, "cwd /no/such/directory");
  Zygote crashing = load(zygote, "crashes_in_children");
  EXPECT_EQ(fork_error(crashing, call({"tool", "say"})).code, Errc::closed);
  EXPECT_EQ(outcome_of(zygote, {"tool", "say"}).out, "1 tool say\n");
}

TEST_F(NativeZygotes, NeedTheCLibraryInTheirRoot) {
  fs::create_directories(scratch() + "/empty");
  ZygoteDomainSpec spec = native_spec();
  spec.rootfs = {.base = scratch() + "/empty"};
  auto domain = host().open_domain(spec);
  ASSERT_FALSE(domain);
  EXPECT_EQ(domain.error().stage, Stage::exec);
  EXPECT_EQ(domain.error().code, Errc::not_found);
}

class NativeHandlers : public NativeZygotes {};

TEST_F(NativeHandlers, AnswerEventsOneAfterAnother) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "events");
  Handler handler = start_handler(zygote, call({"events"}));
  EXPECT_EQ(handler.call("21"), "{\"result\": [1, 21]}\n");
  EXPECT_EQ(handler.call("{\"a\": \"\u00e9\"}"), "{\"result\": [2, {\"a\": \"\u00e9\"}]}\n");
  EXPECT_EQ(handler.call("\"lines\""), "{\"result\": [1,  2 ]}\n");
  handler.channel.reset();
  EXPECT_TRUE(handler.container.wait()->ok());
}

TEST_F(NativeHandlers, AnswerWithAnErrorForWhateverGoesWrong) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "events");
  const Handler handler = start_handler(zygote, call({"events"}));
  const auto error = [](const std::string& type, const std::string& message) {
    return "{\"error\": {\"type\": \"" + type + "\", \"message\": \"" + message +
           "\", \"trace\": []}}\n";
  };
  EXPECT_EQ(handler.call("\"fail\""), error("HandlerFailed", R"(no \"way\"\u000a\ufffd)"));
  EXPECT_EQ(handler.call("\"silent\""), error("HandlerFailed", "handle() returned 4"));
  EXPECT_EQ(handler.call("\"throw\""), error("HandlerFailed", "caught"));
  EXPECT_EQ(handler.call("not JSON"), error("InvalidEvent", "it is not JSON"));
  EXPECT_EQ(handler.call(""), error("InvalidEvent", "it is not JSON"));
  EXPECT_EQ(handler.call("\"not JSON\""), error("InvalidResult", "it is not JSON"));
  EXPECT_EQ(handler.call("\"nothing\""), error("InvalidResult", "it is not JSON"));
  EXPECT_EQ(handler.call("\"much\""), error("TooLong", "a result has at most 6 MiB"));
  EXPECT_EQ(handler.call('"' + std::string(7U << 20U, 'x') + '"'),
            error("TooLong", "an event has at most 6 MiB"));
  EXPECT_EQ(handler.call("1"), "{\"result\": [7, 1]}\n");
}

TEST_F(NativeHandlers, MayEndByThemselves) {
  ZygoteDomain domain = open_native();
  Zygote bare = first_zygote(domain);
  Zygote zygote = load(bare, "events");
  Handler handler = start_handler(zygote, call({"events"}));
  EXPECT_EQ(handler.call("\"leave\""), "");
  EXPECT_EQ(*handler.container.wait(), (ExitStatus{ExitStatus::Kind::exited, 5}));
  ContainerSpec alone = call({"events"});
  alone.name = "another";
  const Outcome without_channel = run_forked(zygote, alone);
  EXPECT_EQ(without_channel.err, "sock_handler: no descriptor is named \"channel\" in SOCK_FDS\n");
  EXPECT_EQ(without_channel.status.value, 1);
}

}  // namespace
}  // namespace sock::test
