// Resolution of system call names.

#include "isolation/seccomp/numbers.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <vector>

#include <seccomp.h>

namespace sock::seccomp {
namespace {

struct NewCall {
  std::string_view name;
  int number;
};

// KERNEL: since 5.1 a new call has the same number on every architecture. Named up to Linux 6.17.
constexpr NewCall new_calls[] = {
    {"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
    {"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
    {"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
    {"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
    {"file_setattr", 469},
#if defined(__x86_64__)
    {"uretprobe", 335},         {"uprobe", 336},
#endif
};

// Names that this table has on one architecture only.
constexpr std::string_view elsewhere[] = {"uretprobe", "uprobe"};

constexpr int highest_number = 511;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

struct Free {
  void operator()(char* text) const noexcept { std::free(text); }
};

}  // namespace

Number find_number(std::string_view name) {
  const int number = seccomp_syscall_resolve_name(std::string{name}.c_str());
  if (number >= 0) return {Number::Known::here, number};
  const auto* found = std::ranges::find(new_calls, name, &NewCall::name);
  if (found != std::end(new_calls)) return {Number::Known::here, found->number};
  if (number != __NR_SCMP_ERROR || std::ranges::find(elsewhere, name) != std::end(elsewhere))
    return {Number::Known::elsewhere, 0};
  return {Number::Known::nowhere, 0};
}

std::string find_similar_name(std::string_view name) {
  std::string best;
  std::size_t best_distance = 3;
  const auto consider = [&](std::string_view candidate) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance >= best_distance || distance >= candidate.size()) return;
    best = candidate;
    best_distance = distance;
  };
  for (int number = 0; number <= highest_number; ++number) {
    const std::unique_ptr<char, Free> known{
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number)};
    if (known) consider(known.get());
  }
  for (const NewCall& call : new_calls) consider(call.name);
  return best;
}

}  // namespace sock::seccomp
