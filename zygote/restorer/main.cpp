// sock-restorer: a program that becomes a process that was written down
// (lib/wire/process_image.hpp). It runs in the place where that process is to be, namespaces and
// root and all, puts its memory where it was and goes on in it. All that is not memory the process
// gives back to itself (zygote/server/park.hpp).
//
//   sock-restorer CHANNEL PLAN PAGES
//
// Descriptors, as decimal numbers: the channel to the Host, on which is said what fails, and the
// two files of the image. It is executed as /proc/self/fd/N: that one is closed as well.
//
// Invariants: no C library; its code, data and stack are in a range that no restored process uses,
// so it can unmap whatever else there is. It trusts the plan no further than its bounds: a wrong
// one makes a wrong process, in a place where any process may be.

#include <cstring>

#include "restorer/kernel.hpp"
#include "sys/program_entry.hpp"
#include "wire/message.hpp"
#include "wire/process_image.hpp"

namespace sock::restorer {
namespace {

using namespace wire::image;

// From the command line; in memory of the program, which stays.
int channel = -1;
int plan_file = -1;
int pages_file = -1;
int program_file = -1;

// Its range: the program itself, then where the kernel's mappings wait, then the plan.
constexpr std::uint64_t parking_begin = restorer_begin + (1U << 20U);
constexpr std::uint64_t plan_begin = restorer_begin + (2U << 20U);
constexpr std::uint64_t most_plan = restorer_size - (2U << 20U);
#if defined(__x86_64__)
constexpr std::uint64_t end_of_addresses = 0x7fff'ffff'f000;
#elif defined(__aarch64__)
constexpr std::uint64_t end_of_addresses = 0xffff'ffff'f000;
#endif
constexpr std::uint64_t page = 4096;

[[noreturn]] void fail(std::string_view what, long result) noexcept {
  drop_message(channel);
  static std::byte text[1024];
  wire::Writer writer{text, wire::Kind::failed};
  writer.put(wire::Field::reason, what.data(), what.size() < 512 ? what.size() : 512);
  writer.put_value(wire::Field::sys_errno, static_cast<std::uint32_t>(-result));
  send(channel, writer.message().data(), writer.message().size());
  exit(1);
}

void check(std::string_view what, long result) noexcept {
  if (result < 0) fail(what, result);
}

/// The plan's parts, where they are mapped.
struct Plan {
  const Header* header;
  const Special* specials;
  const File* files;
  const Mapping* mappings;
  const char* paths;
};

Plan map_plan() noexcept {
  struct stat size {};
  check("restoring: the plan", status(plan_file, size));
  const auto whole = static_cast<std::uint64_t>(size.st_size);
  constexpr std::string_view damaged = "restoring: the plan is damaged";
  if (whole < sizeof(Header) || whole > most_plan) fail(damaged, 0);
  check("restoring: the plan", map(plan_begin, whole, PROT_READ, MAP_PRIVATE, plan_file, 0));
  const auto* const header = reinterpret_cast<const Header*>(plan_begin);
  if (!is_whole(*header, whole)) fail(damaged, 0);
  Plan plan{};
  plan.header = header;
  plan.specials = reinterpret_cast<const Special*>(header + 1);
  plan.files = reinterpret_cast<const File*>(plan.specials + header->special_count);
  plan.mappings = reinterpret_cast<const Mapping*>(plan.files + header->file_count);
  plan.paths = reinterpret_cast<const char*>(plan.mappings + header->mapping_count);
  if (plan.paths[header->path_bytes - 1] != '\0') fail(damaged, 0);
  return plan;
}

int number_in(const char* text) noexcept {
  int number = 0;
  for (; *text >= '0' && *text <= '9' && number < 100'000; ++text)
    number = number * 10 + (*text - '0');
  return *text == '\0' ? number : -1;
}

/// `stack` as sock_restorer_main() has it.
void read_arguments(const long* stack) noexcept {
  constexpr long count = 4;
  if (stack[0] != count) exit(2);
  const auto* const argv = reinterpret_cast<const char* const*>(stack + 1);
  channel = number_in(argv[1]);
  plan_file = number_in(argv[2]);
  pages_file = number_in(argv[3]);
  const char* name = argv[0];
  for (const char* at = name; *at != '\0'; ++at)
    if (*at == '/') name = at + 1;
  program_file = number_in(name);
}

/// Where the kernel has put this process's vdso; its other mappings are right before it.
std::uint64_t own_vdso(const long* stack) noexcept {
  constexpr std::uint64_t sysinfo_ehdr = 33;  // AT_SYSINFO_EHDR
  const long* at = stack + 1 + stack[0] + 1;  // After argc, argv and its end.
  while (*at != 0) ++at;                      // The environment.
  for (const auto* entry = reinterpret_cast<const std::uint64_t*>(at + 1); entry[0] != 0;
       entry += 2)
    if (entry[0] == sysinfo_ehdr) return entry[1];
  fail("restoring: the kernel gives no vdso", 0);
}

void move_specials(const Plan& plan, std::uint64_t from, std::uint64_t to, bool to_their_place) {
  for (std::uint32_t i = 0; i < plan.header->special_count; ++i) {
    const Special& special = plan.specials[i];
    check("restoring: the vdso", move(from, special.size, to_their_place ? special.begin : to));
    from += special.size;
    to += special.size;
  }
}

std::uint64_t size_before_vdso(const Plan& plan) noexcept {
  std::uint64_t size = 0;
  for (std::uint32_t i = 0; i + 1 < plan.header->special_count; ++i) size += plan.specials[i].size;
  return size;
}

/// Everything that this process has but the restorer's range.
void leave_only_own_range() noexcept {
  constexpr std::uint64_t own_end = restorer_begin + restorer_size;
  check("restoring: unmap", unmap(0, restorer_begin));
  check("restoring: unmap", unmap(own_end, end_of_addresses - own_end));
}

int open_same(const Plan& plan, const File& expected) noexcept {
  if (expected.path >= plan.header->path_bytes) fail("restoring: the plan is damaged", 0);
  const char* const path = plan.paths + expected.path;
  const int file = open_for_reading(path);
  check(path, file);
  struct stat found {};
  check(path, status(file, found));
  if (static_cast<std::uint64_t>(found.st_size) == expected.size &&
      static_cast<std::int64_t>(found.st_mtime) == expected.mtime_s &&
      static_cast<std::uint32_t>(found.st_mtime_nsec) == expected.mtime_ns)
    return file;
  static char text[512] = "changed since the snapshot: ";
  std::size_t at = std::strlen(text);
  for (const char* next = path; *next != '\0' && at + 1 < sizeof text; ++next) text[at++] = *next;
  fail({text, at}, 0);
}

int flags_of(const Mapping& mapping) noexcept {
  int flags = (mapping.flags & is_shared) != 0 ? MAP_SHARED : MAP_PRIVATE;
  if (mapping.file == no_file || (mapping.flags & is_copied) != 0) flags |= MAP_ANONYMOUS;
  if ((mapping.flags & grows_down) != 0) flags |= MAP_GROWSDOWN;
  if ((mapping.flags & no_reserve) != 0) flags |= MAP_NORESERVE;
  return flags;
}

bool is_elsewhere(const Mapping& mapping) noexcept {
  constexpr std::uint64_t own_end = restorer_begin + restorer_size;
  const std::uint64_t end = mapping.begin + mapping.size;
  return mapping.begin < end && end <= end_of_addresses &&
         (end <= restorer_begin || mapping.begin >= own_end);
}

void fill(const Mapping& mapping) noexcept {
  std::uint64_t done = 0;
  while (done < mapping.size) {
    const long count =
        read_at(pages_file, mapping.begin + done, mapping.size - done, mapping.offset + done);
    check("restoring: pages", count);
    if (count == 0) return;  // What follows in the file is a hole at its end: zero, as it is here.
    done += static_cast<std::uint64_t>(count);
  }
}

void map_one(const Mapping& mapping, int file) noexcept {
  constexpr int writable = PROT_READ | PROT_WRITE;
  if (!is_elsewhere(mapping)) fail("restoring: the plan is damaged", 0);
  const bool is_filled = (mapping.flags & is_copied) != 0;
  check("restoring: map",
        map(mapping.begin, mapping.size, is_filled ? writable : mapping.protection,
            flags_of(mapping), file, is_filled ? 0 : mapping.offset));
  if (is_filled) {
    fill(mapping);
    if (mapping.protection != writable)
      check("restoring: protect", protect(mapping.begin, mapping.size, mapping.protection));
  }
  if ((mapping.flags & wipe_on_fork) != 0)
    check("restoring: advise", advise(mapping.begin, mapping.size, MADV_WIPEONFORK));
}

void map_all(const Plan& plan) noexcept {
  std::uint32_t opened = no_file;
  int file = -1;
  for (std::uint32_t i = 0; i < plan.header->mapping_count; ++i) {
    const Mapping& mapping = plan.mappings[i];
    if (mapping.file == no_file || (mapping.flags & is_copied) != 0) {
      map_one(mapping, -1);
    } else if (mapping.file == pages) {
      map_one(mapping, pages_file);
    } else {
      if (mapping.file >= plan.header->file_count) fail("restoring: the plan is damaged", 0);
      if (mapping.file != opened) {
        if (file >= 0) close(file);
        file = open_same(plan, plan.files[mapping.file]);
        opened = mapping.file;
      }
      map_one(mapping, file);
    }
  }
  if (file >= 0) close(file);
}

alignas(64) char own_stack[std::size_t{32} << 10U];

[[noreturn]] void restore(std::uint64_t vdso, std::uint64_t, std::uint64_t) noexcept {
  const Plan plan = map_plan();
  move_specials(plan, vdso - size_before_vdso(plan), parking_begin, false);
  leave_only_own_range();
  map_all(plan);
  move_specials(plan, parking_begin, 0, true);
  close(plan_file);
  close(pages_file);
  if (program_file > 2) close(program_file);
  const Resumption& resumption = plan.header->resumption;
  enter(resumption.thread_pointer, resumption.stack & ~std::uint64_t{15}, resumption.entry, channel,
        restorer_begin, restorer_size);
}

}  // namespace

/// `stack` is what the kernel leaves for a new program: argc, argv, the environment, the auxiliary
/// vector.
extern "C" [[noreturn]] void sock_restorer_main(const long* stack) noexcept {
  read_arguments(stack);
  const std::uint64_t vdso = own_vdso(stack);
  enter(0, reinterpret_cast<std::uint64_t>(own_stack + sizeof own_stack),
        reinterpret_cast<std::uint64_t>(&restore), vdso, 0, 0);
}

}  // namespace sock::restorer

// What the compiler may call by itself.
extern "C" void* memcpy(void* to, const void* from, std::size_t size) noexcept {
  auto* const target = static_cast<char*>(to);
  const auto* const source = static_cast<const char*>(from);
  for (std::size_t i = 0; i < size; ++i) target[i] = source[i];
  return to;
}
extern "C" void* memset(void* to, int value, std::size_t size) noexcept {
  auto* const target = static_cast<char*>(to);
  for (std::size_t i = 0; i < size; ++i) target[i] = static_cast<char>(value);
  return to;
}
extern "C" std::size_t strlen(const char* text) noexcept {
  std::size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}

SOCK_PROGRAM_ENTRY("sock_restorer_main")
