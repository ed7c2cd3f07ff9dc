// Each kind has a function that notes it and one that gives it back.

#include "server/kernel_state.hpp"

#include <cerrno>
#include <cfenv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sock::zygote {
namespace {

constexpr int last_signal = 64;
constexpr std::size_t auxv_words = 128;
constexpr std::size_t name_size = 16;
constexpr std::size_t path_size = 4096;

/// Of this C library; all 0 where it registers none.
struct RestartableSequences {
  void* area = nullptr;
  std::uint32_t size = 0;
};

/// The kernel's own: the C library's sigaction() keeps two signals to itself.
struct KernelAction {
  std::uintptr_t handler;
  unsigned long flags;
#if defined(__x86_64__)
  std::uintptr_t restorer;
#endif
  std::uint64_t mask;
};

long signal_action(int number, const KernelAction* set, KernelAction* get) noexcept {
  return ::syscall(SYS_rt_sigaction, number, set, get, sizeof(std::uint64_t));
}

// In memory, like everything else that comes back.
struct Noted {
  std::fenv_t floating_point;
  KernelAction actions[last_signal + 1];
  sigset_t mask;
  stack_t alternate_stack;
  prctl_mm_map map;
  std::uint64_t auxv[auxv_words];
  char name[name_size];
  char directory[path_size];
  char program[path_size];
  mode_t creation_mask;
  void* robust_list;
  std::size_t robust_list_size;
  pid_t* tid_address;
  bool tid_is_there;  ///< As in glibc; musl has a lock there.
  RestartableSequences sequences;
};
Noted noted;

RestartableSequences find_sequences() noexcept {
  const auto* const offset =
      static_cast<const std::ptrdiff_t*>(::dlsym(RTLD_DEFAULT, "__rseq_offset"));
  const auto* const size = static_cast<const unsigned*>(::dlsym(RTLD_DEFAULT, "__rseq_size"));
  if (offset == nullptr || size == nullptr || *size == 0) return {};
  constexpr unsigned unit = 32;  // Of what is registered; __rseq_size is what of it is in use.
  return {.area = static_cast<char*>(__builtin_thread_pointer()) + *offset,
          .size = (*size + unit - 1) / unit * unit};
}

bool register_sequences() noexcept {
#if defined(__x86_64__)
  constexpr std::uint32_t signature = 0x53053053;
#elif defined(__aarch64__)
  constexpr std::uint32_t signature = 0xd428bc00;
#endif
  if (noted.sequences.area == nullptr) return true;
  return ::syscall(SYS_rseq, noted.sequences.area, noted.sequences.size, 0, signature) == 0;
}

bool note_signals_whole() noexcept {
  for (int number = 1; number <= last_signal; ++number)
    if (signal_action(number, nullptr, &noted.actions[number]) < 0) return false;
  return ::sigprocmask(SIG_SETMASK, nullptr, &noted.mask) == 0 &&
         ::sigaltstack(nullptr, &noted.alternate_stack) == 0;
}

bool restore_signals() noexcept {
  for (int number = 1; number <= last_signal; ++number) {
    const KernelAction& action = noted.actions[number];
    // A new process has the default already; of SIGKILL and SIGSTOP there is no other.
    const bool is_default = action.handler == reinterpret_cast<std::uintptr_t>(SIG_DFL);
    if (!is_default && signal_action(number, &action, nullptr) < 0) return false;
  }
  if ((noted.alternate_stack.ss_flags & SS_DISABLE) == 0 &&
      ::sigaltstack(&noted.alternate_stack, nullptr) < 0)
    return false;
  return ::sigprocmask(SIG_SETMASK, &noted.mask, nullptr) == 0;
}

/// The text of a file of /proc/self. The number of bytes, or -1.
ssize_t read_whole(const char* path, void* memory, std::size_t size) noexcept {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  const ssize_t count = ::read(file, memory, size);
  ::close(file);
  return count;
}

/// What proc(5) numbers from 26 to 51 in /proc/PID/stat.
bool note_map() noexcept {
  char text[2048];
  const ssize_t size = read_whole("/proc/self/stat", text, sizeof text - 1);
  if (size <= 0) return false;
  text[size] = '\0';
  char* at = std::strrchr(text, ')');  // The name may have anything in it.
  if (at == nullptr) return false;
  constexpr int after_name = 3;
  constexpr int last = 51;
  std::uint64_t fields[last + 1] = {};
  at += 3;  // ") S": the state is a letter.
  for (int number = after_name + 1; number <= last; ++number)
    fields[number] = std::strtoull(at, &at, 10);
  prctl_mm_map& map = noted.map;
  map.start_code = fields[26];
  map.end_code = fields[27];
  map.start_stack = fields[28];
  map.start_data = fields[45];
  map.end_data = fields[46];
  map.start_brk = fields[47];
  map.arg_start = fields[48];
  map.arg_end = fields[49];
  map.env_start = fields[50];
  map.env_end = fields[51];
  map.brk = static_cast<std::uint64_t>(::syscall(SYS_brk, 0));
  const ssize_t auxv = read_whole("/proc/self/auxv", noted.auxv, sizeof noted.auxv);
  if (auxv <= 0 || auxv == sizeof noted.auxv) return false;
  map.auxv = reinterpret_cast<__u64*>(noted.auxv);
  map.auxv_size = static_cast<std::uint32_t>(auxv);
  return map.start_code != 0;
}

bool note_thread() noexcept {
  noted.tid_address = nullptr;
  // KERNEL: with CONFIG_CHECKPOINT_RESTORE, which distributions have.
  if (::prctl(PR_GET_TID_ADDRESS, &noted.tid_address, 0, 0, 0) < 0) return false;
  noted.tid_is_there = noted.tid_address != nullptr && *noted.tid_address == ::getpid();
  noted.sequences = find_sequences();
  return ::syscall(SYS_get_robust_list, 0, &noted.robust_list, &noted.robust_list_size) == 0;
}

bool note_surroundings() noexcept {
  noted.creation_mask = ::umask(0);
  ::umask(noted.creation_mask);
  if (::prctl(PR_GET_NAME, noted.name, 0, 0, 0) < 0) return false;
  if (::getcwd(noted.directory, sizeof noted.directory) == nullptr) noted.directory[0] = '\0';
  const ssize_t size = ::readlink("/proc/self/exe", noted.program, sizeof noted.program - 1);
  noted.program[size > 0 ? size : 0] = '\0';
  return std::fegetenv(&noted.floating_point) == 0;
}

/// Where the kernel's break cannot be put back: the C library is told the one that there is, which
/// can never move. So its heap neither grows nor shrinks by it; it maps memory instead.
bool give_up_break() noexcept {
  constexpr std::uint64_t page = 4096;
  const auto there = static_cast<std::uint64_t>(::syscall(SYS_brk, 0));
  const auto next = (there + page - 1) / page * page;
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  if (::mmap(reinterpret_cast<void*>(next), page, PROT_NONE, flags, -1, 0) == MAP_FAILED)
    return false;
  auto* const known = static_cast<std::uint64_t*>(::dlsym(RTLD_DEFAULT, "__curbrk"));
  if (known != nullptr) *known = there;
  return true;
}

/// The whole of what `restorer` had, and what this process is to the kernel: its program too, which
/// can be changed when nothing of the old one is mapped any more.
bool restore_map(std::uint64_t restorer, std::uint64_t restorer_size) noexcept {
  if (::munmap(reinterpret_cast<void*>(restorer), restorer_size) < 0) return false;
  const int program = noted.program[0] == '/' ? ::open(noted.program, O_RDONLY | O_CLOEXEC) : -1;
  noted.map.exe_fd = static_cast<std::uint32_t>(program);
  bool done = ::prctl(PR_SET_MM, PR_SET_MM_MAP, &noted.map, sizeof noted.map, 0) == 0;
  // A container's filter refuses it.
  if (!done && errno == EPERM) done = give_up_break();
  if (program >= 0) ::close(program);
  return done;
}

bool restore_thread() noexcept {
  const auto tid = static_cast<pid_t>(::syscall(SYS_set_tid_address, noted.tid_address));
  if (noted.tid_is_there) *noted.tid_address = tid;
  return ::syscall(SYS_set_robust_list, noted.robust_list, noted.robust_list_size) == 0 &&
         register_sequences();
}

bool restore_surroundings() noexcept {
  ::umask(noted.creation_mask);
  return ::prctl(PR_SET_NAME, noted.name, 0, 0, 0) == 0 &&
         std::fesetenv(&noted.floating_point) == 0;
}

}  // namespace

bool note_kernel_state() noexcept {
  return note_signals_whole() && note_map() && note_thread() && note_surroundings();
}

const char* restore_kernel_state(std::uint64_t restorer, std::uint64_t restorer_size) noexcept {
  if (!restore_thread()) return "restoring: its thread";
  if (!restore_map(restorer, restorer_size)) return "restoring: its memory map";
  if (!restore_signals()) return "restoring: its signals";
  if (!restore_surroundings()) return "restoring: its name";
  return nullptr;
}

void return_to_directory() noexcept {
  // It may never have been more than a name in the old root.
  if (noted.directory[0] == '/') static_cast<void>(::chdir(noted.directory) == 0);
}

}  // namespace sock::zygote
