#pragma once

// A child's work: the message that tells it what to become, turned into the same plan that a
// created container's process walks.

#include <cstddef>
#include <cstdint>
#include <span>

#include <linux/filter.h>

#include "child/plan.hpp"
#include "server/channel.hpp"
#include "wire/message.hpp"

namespace sock::zygote {

class Work {
 public:
  Work() noexcept;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  /// False: not a valid message; nothing has been done. Keeps pointing into `inbox`.
  bool read(Inbox& inbox) noexcept;
  /// Writes to as much of itself as read() usually does.
  void rehearse() noexcept;
  /// Becomes what the message says and reports on `channel`, which is then closed. A step that
  /// fails ends the process.
  void confine(int channel) noexcept;
  /// Instead: reports that the payload cannot be executed, and ends the process.
  [[noreturn]] void refuse(int channel, int sys_errno) noexcept;

  /// Strings, each ended by a NUL.
  [[nodiscard]] const wire::FieldView& argv() const noexcept { return argv_; }
  [[nodiscard]] const wire::FieldView& env() const noexcept { return env_; }

 private:
  static constexpr std::size_t most_limits = 32;
  static constexpr std::size_t most_groups = 64;
  static constexpr std::size_t most_cgroups = 16;
  static constexpr std::size_t most_instructions = 4096;

  bool read_field(const wire::FieldView& field, Inbox& inbox) noexcept;
  bool read_roles(const wire::FieldView& field, Inbox& inbox) noexcept;
  bool read_limits(const wire::FieldView& field) noexcept;
  bool read_groups(const wire::FieldView& field) noexcept;
  bool read_filter(const wire::FieldView& field) noexcept;
  bool read_text(const wire::FieldView& field, const char*& text) noexcept;
  void finish() noexcept;
  void send_report() noexcept;

  child::Plan plan_{};
  child::Report report_{};
  wire::FieldView argv_{};
  wire::FieldView env_{};
  int cgroups_[most_cgroups];
  int payload_[wire::most_descriptors];
  child::LimitStep limits_[most_limits];
  gid_t groups_[most_groups];
  sock_filter filter_[most_instructions];
  sock_fprog program_{};
};

}  // namespace sock::zygote
