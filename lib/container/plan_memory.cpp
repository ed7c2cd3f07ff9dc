// The memory behind a child::Plan, and what its report means.

#include "container/plan_memory.hpp"

#include <algorithm>
#include <cstdio>

#include "child/kernel.hpp"
#include "sys/error.hpp"

namespace sock::container {
namespace {

// The kernel's interface is not const-correct; nothing writes through these.
char* raw(const std::string& text) {
  return const_cast<char*>(text.c_str());
}

struct Explanation {
  std::string subject;
  std::string hint;
};

Explanation explain_exec(const child::Report& report, const child::Plan& plan) {
  if (report.index == child::init_index) return {.subject = "sock-init", .hint = {}};
  if (report.index >= child::fd_index && report.index < child::proc_index)
    return {.subject = "descriptor " + std::to_string(report.index - child::fd_index),
            .hint = "it must be open, or /dev/null in the container"};
  Explanation result{.subject = plan.argv[0], .hint = {}};
  const Errc code = sys::errc_of(report.sys_errno);
  if (code == Errc::not_found)
    result.hint = "not in the container, or its interpreter (#!, loader) is not";
  if (code == Errc::denied) result.hint = "it must be a file that the payload's user may execute";
  if (code == Errc::invalid_spec) result.hint = "not a program for this machine";
  return result;
}

Explanation explain_step(const child::Report& report, const child::Plan& plan) {
  switch (report.failed) {
    case Stage::exec:
      return explain_exec(report, plan);
    case Stage::mounts:
      if (report.index == child::proc_index) return {.subject = "/proc", .hint = {}};
      return {.subject = std::string{"mount point "} + plan.mounts[report.index].target,
              .hint = "create it in the image"};
    case Stage::root:
      if (report.index == child::cwd_index)
        return {.subject = std::string{"cwd "} + plan.cwd, .hint = "no such directory inside"};
      return {};
    case Stage::rlimits:
      return {.subject = "value " + std::to_string(plan.limits[report.index].value),
              .hint = "raising a limit needs CAP_SYS_RESOURCE"};
    case Stage::identity:
      return {.subject = "uid " + std::to_string(plan.uid) + " gid " + std::to_string(plan.gid),
              .hint = "with a user namespace, ids must be in its map"};
    case Stage::capabilities:
      return {.subject = {}, .hint = "the caller must have what it names"};
    default:
      return {};
  }
}

}  // namespace

void PlanMemory::set_command(const std::vector<std::string>& argv,
                             const std::vector<std::string>& env,
                             const std::vector<std::string>& programs) {
  for (const std::string& word : argv) argv_.push_back(raw(word));
  for (const std::string& variable : env) envp_.push_back(raw(variable));
  for (const std::string& program : programs) programs_.push_back(program.c_str());
}

void PlanMemory::add_env(std::string variable) {
  own_env_.push_back(std::move(variable));
}

void PlanMemory::set_limits(const std::vector<isolation::ResourceLimit>& limits) {
  for (const isolation::ResourceLimit& limit : limits)
    limits_.push_back({.resource = limit.resource, .value = limit.value});
}

void PlanMemory::set_mounts(const std::vector<isolation::PendingMount>& mounts) {
  for (const isolation::PendingMount& step : mounts)
    mounts_.push_back({.mount = step.mount.get(), .target = step.target.c_str()});
}

void PlanMemory::set_seccomp(const std::vector<sock_filter>& instructions) {
  seccomp_.len = static_cast<unsigned short>(instructions.size());
  seccomp_.filter = const_cast<sock_filter*>(instructions.data());
  plan.seccomp = &seccomp_;
}

void PlanMemory::set_fds(std::vector<int> fds) {
  fds_ = std::move(fds);
}

void PlanMemory::set_init(const InitRequest& request) {
  const auto write = [&](std::size_t word, auto value) {
    std::snprintf(init_words_[word].data(), init_words_[word].size(), "%s",
                  std::to_string(value).c_str());
  };
  std::snprintf(init_words_[0].data(), init_words_[0].size(), "sock-init");
  write(1, request.life_line.get());
  write(2, request.report.get());
  write(4, request.time_limit.count());  // Word 3, the payload's pid, is written by the child.
  write(5, request.outlives_payload ? 1 : 0);
  for (std::size_t i = 0; i < init_words_.size(); ++i) init_argv_[i] = init_words_[i].data();
  plan.init = request.program.get();
  plan.init_argv = init_argv_.data();
  plan.init_pid_text = init_words_[3].data();
  plan.life_line = request.life_line.get();
  plan.init_report = request.report.get();
  plan.payload_stack_top = request.payload_stack_top;
}

child::Plan& PlanMemory::finish() {
  for (const std::string& variable : own_env_) envp_.push_back(raw(variable));
  argv_.push_back(nullptr);
  envp_.push_back(nullptr);
  programs_.push_back(nullptr);
  plan.report = &report;
  plan.argv = argv_.data();
  plan.envp = envp_.data();
  plan.programs = programs_.data();
  plan.limits = limits_.data();
  plan.limit_count = static_cast<std::uint32_t>(limits_.size());
  plan.mounts = mounts_.data();
  plan.mount_count = static_cast<std::uint32_t>(mounts_.size());
  plan.fds = fds_.data();
  plan.fd_count = static_cast<std::uint32_t>(fds_.size());
  return plan;
}

Error explain(const child::Report& report, const child::Plan& plan) {
  Explanation words = explain_step(report, plan);
  Errc code = sys::errc_of(report.sys_errno);
  if (code == Errc::io || code == Errc::closed) code = Errc::launch_failed;
  return {.code = code,
          .stage = report.failed,
          .sys_errno = report.sys_errno,
          .subject = std::move(words.subject),
          .hint = std::move(words.hint)};
}

}  // namespace sock::container
