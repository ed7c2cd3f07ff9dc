// Domains, zygotes and forks for tests.

#include "zygote_fixture.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include <sys/socket.h>
#include <unistd.h>

namespace sock::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {
constexpr const char* python = "/usr/bin/python3";
}

std::string content(const fs::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string Handler::call(const std::string& event) const {
  const std::string line = event + "\n";
  if (::write(channel.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return "cannot write";
  return read_until(channel, "\n");
}

void expect_all_differ(int siblings, const std::function<std::string()>& ask) {
  std::vector<std::set<std::string>> seen;
  for (int i = 0; i < siblings; ++i) {
    std::istringstream words{ask()};
    std::size_t place = 0;
    for (std::string word; words >> word; ++place) {
      if (place == seen.size()) seen.emplace_back();
      seen[place].insert(word);
    }
  }
  EXPECT_FALSE(seen.empty());
  for (const auto& words : seen)
    EXPECT_EQ(words.size(), static_cast<std::size_t>(siblings)) << *words.begin();
}

void ZygoteTest::SetUp() {
  HostTest::SetUp();
  if (is_rootless()) GTEST_SKIP() << "zygote domains need real root";
  for (const char* feature : {"proc_from_outside", "detached_roots"})
    if (!is_tested_with(feature)) GTEST_SKIP() << "zygote domains need " << feature;
  if (!fs::exists(python)) FAIL() << "the system's python3 is missing: scripts/install-packages";
}

void ZygoteMemoryTest::SetUp() {
  ZygoteTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  const auto able = try_memory_limit();
  if (!able) GTEST_SKIP() << "needs: a memory controller: " << able.error().message();
}

ZygoteDomain ZygoteTest::open_domain(const std::string& name) {
  return open_domain(domain_spec(name));
}

ZygoteDomain ZygoteTest::open_domain(const ZygoteDomainSpec& spec) {
  auto domain = host().open_domain(spec);
  EXPECT_TRUE(domain) << domain.error().message();
  return std::move(*domain);
}

ZygoteDomainSpec ZygoteTest::domain_spec(const std::string& name) {
  return {.name = name, .rootfs = domain_root(), .interpreter = {python}, .deadline = 20s};
}

Rootfs ZygoteTest::domain_root() {
  fs::create_directories(modules());
  return {.base = std::string{host_image}, .binds = {{.source = modules(), .target = "/modules"}}};
}

void ZygoteTest::write_module(const std::string& name, const std::string& code) {
  fs::create_directories(modules());
  std::ofstream{modules() + "/" + name + ".py"} << code;
}

Zygote ZygoteTest::first_zygote(ZygoteDomain& domain) {
  auto zygote = domain.start_zygote();
  EXPECT_TRUE(zygote) << zygote.error().message();
  return std::move(*zygote);
}

Zygote ZygoteTest::grow(Zygote& zygote, const std::string& module) {
  auto child = zygote.grow({.modules = {module}, .paths = {"/modules"}});
  EXPECT_TRUE(child) << module << ": " << child.error().message();
  return std::move(*child);
}

ContainerSpec ZygoteTest::command(const std::string& code) {
  ContainerSpec spec{.name = "forked",
                     .rootfs = {.base = std::string{host_image}},
                     .argv = {"python3", "-c", code}};
  spec.init = Init::none;
  return spec;
}

Outcome ZygoteTest::run_forked(Zygote& zygote, ContainerSpec spec) {
  return run_forked([&](const ContainerSpec& ready) { return zygote.fork(ready); },
                    std::move(spec));
}

Outcome ZygoteTest::run_forked(const Fork& fork, ContainerSpec spec) {
  TestPipe out = make_pipe();
  TestPipe err = make_pipe();
  spec.stdio.out = out.writer;
  spec.stdio.err = err.writer;
  auto container = fork(spec);
  out.writer.reset();
  err.writer.reset();
  if (!container) {
    ADD_FAILURE() << container.error().message();
    return {.status = {ExitStatus::Kind::lost, 0}, .out = {}, .err = {}};
  }
  Outcome outcome{
      .status = {ExitStatus::Kind::lost, 0}, .out = drain(out.reader), .err = drain(err.reader)};
  const auto status = container->wait_until(in(20s));
  EXPECT_TRUE(status && *status);
  if (status && *status) outcome.status = **status;
  return outcome;
}

std::string ZygoteTest::output_of(Zygote& zygote, const std::string& code,
                                  const std::string& name) {
  ContainerSpec spec = command(code);
  spec.name = name;
  const Outcome outcome = run_forked(zygote, spec);
  EXPECT_TRUE(outcome.status.ok()) << outcome.err;
  return outcome.out;
}

Handler ZygoteTest::start_handler(Zygote& zygote, ContainerSpec spec) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd here{ends[0]};
  const UniqueFd there{ends[1]};
  spec.fds = {{.name = "channel", .fd = there}};
  auto container = zygote.fork(spec);
  EXPECT_TRUE(container) << container.error().message();
  return Handler{.container = std::move(*container), .channel = std::move(here)};
}

Error ZygoteTest::fork_error(Zygote& zygote, const ContainerSpec& spec) {
  auto container = zygote.fork(spec);
  if (container) {
    ADD_FAILURE() << "forked after all";
    return {};
  }
  return container.error();
}

Error ZygoteTest::grow_error(Zygote& zygote, const std::string& module) {
  auto child = zygote.grow({.modules = {module}, .paths = {"/modules"}, .deadline = 3s});
  if (child) {
    ADD_FAILURE() << "imported after all";
    return {};
  }
  return child.error();
}

}  // namespace sock::test
