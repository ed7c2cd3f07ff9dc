// A Host of its own for each test.

#include "host_fixture.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace sock::test {
namespace {

std::vector<std::string> split(const char* list) {
  std::vector<std::string> words;
  std::istringstream stream{list == nullptr ? "" : list};
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

CgroupBackend backend_of(const char* name) {
  const std::string wanted = name == nullptr ? "automatic" : name;
  for (const auto backend :
       {CgroupBackend::v1, CgroupBackend::v2, CgroupBackend::hybrid, CgroupBackend::none})
    if (wanted == to_string(backend)) return backend;
  return CgroupBackend::automatic;
}

int left(std::chrono::steady_clock::time_point deadline) {
  const auto time = deadline - std::chrono::steady_clock::now();
  return std::max(
      0, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()));
}

}  // namespace

HostOptions host_options(const std::string& state_dir) {
  HostOptions options{.state_dir = state_dir};
  options.libexec_dir = SOCK_TEST_LIBEXEC;
  options.without = split(std::getenv("SOCK_TEST_WITHOUT"));
  options.cgroup.backend = backend_of(std::getenv("SOCK_TEST_CGROUPS"));
  options.cgroup.reserve = 2;
  return options;
}

bool is_rootless() {
  return ::geteuid() != 0;
}

bool is_tested_with(const std::string& feature) {
  static const std::vector<Check> found = [] {
    std::string state = (std::filesystem::temp_directory_path() / "sock-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(state.data()), nullptr);
    std::vector<Check> checks = check(host_options(state));
    std::filesystem::remove_all(state);
    return checks;
  }();
  const auto looked_for = std::ranges::find(found, feature, &Check::name);
  return looked_for != found.end() && looked_for->outcome == Check::Outcome::ok;
}

void HostTest::SetUp() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sock-test-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  scratch_ = pattern;
  auto opened = Host::open(host_options(scratch_ + "/state"));
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  host_ = std::make_unique<Host>(std::move(*opened));
}

void HostTest::TearDown() {
  host_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(scratch_, ignored);
}

ContainerSpec HostTest::shell(const std::string& script) const {
  return {.name = "test",
          .rootfs = {.base = std::string{host_image}},
          .argv = {"/bin/sh", "-c", script}};
}

Outcome HostTest::run(ContainerSpec spec) {
  TestPipe out = make_pipe();
  TestPipe err = make_pipe();
  spec.stdio.out = out.writer;
  spec.stdio.err = err.writer;
  auto container = host().create(spec);
  out.writer.reset();
  err.writer.reset();
  if (!container) {
    ADD_FAILURE() << "create: " << container.error().message();
    return {.status = {ExitStatus::Kind::lost, -1}, .out = {}, .err = {}};
  }
  Outcome outcome{
      .status = {ExitStatus::Kind::lost, -1}, .out = drain(out.reader), .err = drain(err.reader)};
  const auto status = container->wait_until(in(std::chrono::seconds{20}));
  if (!status || !*status)
    ADD_FAILURE() << "wait: " << (status ? "still running" : status.error().message());
  else
    outcome.status = **status;
  return outcome;
}

Error HostTest::create_error(const ContainerSpec& spec) {
  auto container = host().create(spec);
  if (container) {
    ADD_FAILURE() << "create() succeeded";
    return {.code = Errc::io};
  }
  return container.error();
}

Result<> HostTest::try_memory_limit() {
  ContainerSpec probe = shell("true");
  probe.resources.memory_max = 64U << 20U;
  auto made = host().create(probe);
  if (!made) return std::unexpected(made.error());
  return {};
}

std::string drain(FdRef pipe, std::size_t limit) {
  std::string text;
  const auto deadline = in(std::chrono::seconds{20});
  std::array<char, 4096> buffer;
  while (text.size() < limit) {
    pollfd waiting{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, left(deadline)) <= 0) break;
    const ssize_t count = ::read(pipe.get(), buffer.data(), buffer.size());
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

std::string read_until(FdRef pipe, const std::string& expected) {
  std::string text;
  const auto deadline = in(std::chrono::seconds{20});
  while (text.find(expected) == std::string::npos) {
    pollfd waiting{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    char byte;
    if (::poll(&waiting, 1, left(deadline)) <= 0 || ::read(pipe.get(), &byte, 1) <= 0) break;
    text += byte;
  }
  return text;
}

TestPipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {.reader = UniqueFd{ends[0]}, .writer = UniqueFd{ends[1]}};
}

}  // namespace sock::test
