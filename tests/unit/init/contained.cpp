// A payload under the built sock-init.

#include "contained.hpp"

#include <fstream>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "sys/file.hpp"
#include "sys/process.hpp"

namespace sock::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

long clone_process(unsigned long flags) {
  return ::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
}

unsigned long namespaces() {
  return CLONE_NEWPID | (::geteuid() == 0 ? 0UL : static_cast<unsigned long>(CLONE_NEWUSER));
}

/// Before the process is made, so that it never loses a signal.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &saved_);
  }
  ~AllSignalsBlocked() { ::sigprocmask(SIG_SETMASK, &saved_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t saved_;
};

[[noreturn]] void become_init(const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>("sock-init")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char* const environment[] = {nullptr};
  ::execve(SOCK_INIT_PATH, argv.data(), environment);
  _exit(99);
}

bool at_end(FdRef pipe) {
  const auto deadline = sys::Deadline::clock::now() + patience;
  char byte = 0;
  for (;;) {
    const auto readable = sys::wait_readable(pipe, deadline);
    if (!readable || !*readable) return false;
    const auto size = sys::read_some(pipe, &byte, 1);
    if (!size) return false;
    if (*size == 0) return true;
  }
}

}  // namespace

void Contained::Inside::say_ready() const {
  if (::write(ready, "r", 1) != 1) _exit(98);
}

Contained::Contained(const std::function<int(const Inside&)>& payload, const Options& options) {
  auto life_line = sys::make_pipe();
  auto report = sys::make_pipe();
  auto ready = sys::make_pipe();
  auto output = sys::make_pipe();
  const AllSignalsBlocked blocked;
  init_ = static_cast<pid_t>(clone_process(namespaces()));
  if (init_ == 0) {
    const pid_t child = ::fork();
    if (child == 0) {
      life_line->writer.reset();
      report->writer.reset();
      report->reader.reset();
      ready->reader.reset();
      output->reader.reset();
      _exit(payload({.ready = ready->writer.get(), .standard_out = output->writer.get()}));
    }
    // Descriptors as a launcher leaves them: init's own two, and the payload's stdio.
    ::dup2(output->writer.get(), 1);
    ::fcntl(life_line->reader.get(), F_SETFD, 0);
    ::fcntl(report->writer.get(), F_SETFD, 0);
    auto arguments = options.arguments;
    if (arguments.empty())
      arguments = {std::to_string(life_line->reader.get()), std::to_string(report->writer.get()),
                   std::to_string(child), std::to_string(options.limit_ms),
                   options.outlives_payload ? "1" : "0"};
    become_init(arguments);
  }
  pidfd_ = std::move(*sys::open_pidfd(init_));
  life_line_ = std::move(life_line->writer);
  report_ = std::move(report->reader);
  ready_ = std::move(ready->reader);
  output_ = std::move(output->reader);
}

Contained::~Contained() {
  if (reaped_) return;
  static_cast<void>(sys::send_signal(pidfd_, SIGKILL).has_value());
  static_cast<void>(sys::reap(pidfd_).has_value());
}

bool Contained::possible() {
  const long child = clone_process(namespaces());
  if (child == 0) _exit(0);
  if (child > 0) ::waitpid(static_cast<pid_t>(child), nullptr, 0);
  return child > 0;
}

bool Contained::wait_ready() {
  const auto readable = sys::wait_readable(ready_, sys::Deadline::clock::now() + patience);
  char byte = 0;
  return readable && *readable && sys::read_some(ready_, &byte, 1) == std::size_t{1};
}

bool Contained::wait_output_end() {
  return at_end(output_);
}

void Contained::signal(int number) const {
  EXPECT_TRUE(sys::send_signal(pidfd_, number).has_value());
}

pid_t Contained::payload_from_outside() const {
  const std::string pid = std::to_string(init_);
  std::ifstream children{"/proc/" + pid + "/task/" + pid + "/children"};
  pid_t payload = -1;
  children >> payload;
  return payload;
}

int Contained::wait() {
  const auto ended = sys::wait_readable(pidfd_, sys::Deadline::clock::now() + patience);
  if (!ended || !*ended) return -1;
  const auto status = sys::reap(pidfd_);
  reaped_ = true;
  if (!status || !*status) return -2;
  return (*status)->signaled ? 128 + (*status)->value : (*status)->value;
}

std::optional<init::Report> Contained::report() {
  init::Report report{};
  const auto size = sys::read_some(report_, reinterpret_cast<char*>(&report), sizeof report);
  if (!size || *size != sizeof report || report.magic != init::report_magic) return {};
  char more = 0;
  EXPECT_EQ(sys::read_some(report_, &more, 1).value_or(1), 0U) << "written twice";
  return report;
}

}  // namespace sock::testing
