// Reading a work message, and carrying it out.

#include "server/work.hpp"

#include <algorithm>
#include <cstring>

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "child/confine.hpp"
#include "server/inheritance.hpp"

namespace sock::zygote {
namespace {

using wire::Field;

std::int64_t now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

template <class T>
bool read_value(const wire::FieldView& field, T& into) noexcept {
  const auto value = field.as<T>();
  if (value) into = *value;
  return value.has_value();
}

}  // namespace

Work::Work() noexcept {
  std::ranges::fill(payload_, -1);
  plan_.report = &report_;
  plan_.clock = ::clock_gettime;
  plan_.forked = true;
  plan_.own_cgroup_namespace = true;
  plan_.set_groups = true;
  plan_.signals_to_reset = noted_signals();
  plan_.bounding_set_is_empty = has_empty_bounding_set();
}

bool Work::read(Inbox& inbox) noexcept {
  auto reader = wire::Reader::open(inbox.bytes());
  if (!reader || reader->kind() != wire::Kind::work) return false;
  while (const auto field = reader->next())
    if (!read_field(*field, inbox)) return false;
  if (!reader->complete() || plan_.root < 0) return false;
  finish();
  return true;
}

bool Work::read_field(const wire::FieldView& field, Inbox& inbox) noexcept {
  switch (field.field) {
    case Field::roles:
      return read_roles(field, inbox);
    case Field::argv:
      argv_ = field;
      return true;
    case Field::env:
      env_ = field;
      return true;
    case Field::cwd:
      return read_text(field, plan_.cwd);
    case Field::hostname:
      plan_.hostname_size = static_cast<std::uint32_t>(field.bytes.size() - 1);
      return read_text(field, plan_.hostname);
    case Field::uid:
      return read_value(field, plan_.uid);
    case Field::gid:
      return read_value(field, plan_.gid);
    case Field::groups:
      return read_groups(field);
    case Field::capabilities:
      return read_value(field, plan_.kept_capabilities);
    case Field::last_capability:
      return read_value(field, plan_.last_capability);
    case Field::limits:
      return read_limits(field);
    case Field::filter:
      return read_filter(field);
    case Field::flags: {
      const auto flags = field.as<std::uint32_t>();
      if (!flags) return false;
      plan_.controlling_terminal =
          (*flags & static_cast<std::uint32_t>(wire::Flag::controlling_terminal)) != 0;
      plan_.loopback_up = (*flags & static_cast<std::uint32_t>(wire::Flag::loopback_up)) != 0;
      return true;
    }
    default:
      return false;
  }
}

bool Work::read_roles(const wire::FieldView& field, Inbox& inbox) noexcept {
  const auto count = field.count<wire::RoleEntry>();
  if (!count || *count != inbox.descriptor_count()) return false;
  for (std::size_t i = 0; i < *count; ++i) {
    const auto entry = field.at<wire::RoleEntry>(i);
    switch (entry.role) {
      case wire::Role::root:
        plan_.root = inbox.descriptor(i);
        break;
      case wire::Role::landlock:
        plan_.landlock = inbox.descriptor(i);
        break;
      case wire::Role::cgroup_procs:
        if (plan_.cgroup_count == most_cgroups) return false;
        cgroups_[plan_.cgroup_count++] = inbox.descriptor(i);
        break;
      case wire::Role::payload:
        if (entry.number >= wire::most_descriptors) return false;
        payload_[entry.number] = inbox.descriptor(i);
        plan_.fd_count = std::max(plan_.fd_count, std::uint32_t{entry.number} + 1);
        break;
      default:
        return false;
    }
  }
  return true;
}

bool Work::read_limits(const wire::FieldView& field) noexcept {
  struct Entry {
    std::uint64_t resource;
    std::uint64_t value;
  };
  const auto count = field.count<Entry>();
  if (!count || *count > most_limits) return false;
  for (std::size_t i = 0; i < *count; ++i) {
    const auto entry = field.at<Entry>(i);
    limits_[i] = {.resource = static_cast<int>(entry.resource), .value = entry.value};
  }
  plan_.limit_count = static_cast<std::uint32_t>(*count);
  return true;
}

bool Work::read_groups(const wire::FieldView& field) noexcept {
  const auto count = field.count<gid_t>();
  if (!count || *count > most_groups) return false;
  for (std::size_t i = 0; i < *count; ++i) groups_[i] = field.at<gid_t>(i);
  plan_.group_count = static_cast<std::uint32_t>(*count);
  return true;
}

bool Work::read_filter(const wire::FieldView& field) noexcept {
  const auto count = field.count<sock_filter>();
  if (!count || *count == 0 || *count > most_instructions) return false;
  for (std::size_t i = 0; i < *count; ++i) filter_[i] = field.at<sock_filter>(i);
  program_ = {.len = static_cast<unsigned short>(*count), .filter = filter_};
  plan_.seccomp = &program_;
  return true;
}

// Its end is a NUL in the message itself.
bool Work::read_text(const wire::FieldView& field, const char*& text) noexcept {
  const std::string_view value = field.text();
  if (value.size() < 2 || value.find('\0') != value.size() - 1) return false;
  text = value.data();
  return true;
}

void Work::rehearse() noexcept {
  constexpr std::size_t usual = 512;  // Instructions of the default filter, rounded up.
  std::memset(filter_, 0, usual * sizeof *filter_);
  finish();
}

void Work::finish() noexcept {
  constexpr std::uint32_t standard = 3;
  plan_.fd_count = std::max(plan_.fd_count, standard);
  plan_.cgroups = cgroups_;
  plan_.fds = payload_;
  plan_.limits = limits_;
  plan_.groups = groups_;
}

void Work::confine(int channel) noexcept {
  report_.socket = channel;
  report_.last_mark = now();
  child::join_cgroups(plan_);
  child::enter_namespaces(plan_);
  child::give_up_privilege(plan_);
  child::prepare_payload(plan_);
  report_.executing = true;
  send_report();
}

void Work::refuse(int channel, int sys_errno) noexcept {
  report_.socket = channel;
  report_.failed = Stage::exec;
  report_.sys_errno = sys_errno;
  send_report();
  ::_exit(127);
}

// By write(), which no payload does without: a filter of its own may refuse sendto(). Whoever
// cannot say that it begins does not.
void Work::send_report() noexcept {
  if (::write(report_.socket, &report_, sizeof report_) != ssize_t{sizeof report_}) ::_exit(127);
  ::close(report_.socket);
}

}  // namespace sock::zygote
