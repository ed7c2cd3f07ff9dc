#pragma once

// What the launcher tells sock-init, and what sock-init tells back. Shared by lib/child, which
// starts it, lib/container, which reads the report, and sock-init itself.
//
// sock-init is pid 1 of a container whose payload (pid 2) is running already: the launcher starts
// the payload first and then turns pid 1 into sock-init. It is started with
//   argv[0] "sock-init"  argv[1] life-line fd  argv[2] report fd  argv[3] payload pid
//   argv[4] time limit in milliseconds, 0 for none
//   argv[5] 1 to stay when the payload has ended, else 0
// as decimal numbers and an empty environment.

#include <cstdint>
#include <type_traits>

namespace sock::init {

/// Written once, when the payload has ended; the pipe's end without one means that init was killed.
struct Report {
  std::uint32_t magic;       ///< report_magic
  std::int32_t wait_status;  ///< As wait4() gives it.
  std::uint32_t timed_out;   ///< 1 when init killed the payload for its time limit.
};
inline constexpr std::uint32_t report_magic = 0x736f636b;  // "sock"
static_assert(std::is_trivially_copyable_v<Report> && sizeof(Report) == 12);

}  // namespace sock::init
