// Signals and the bounding set of a zygote.

#include "server/inheritance.hpp"

#include <linux/prctl.h>
#include <signal.h>
#include <sys/prctl.h>

namespace sock::zygote {
namespace {

constexpr int last_signal = 64;

struct sigaction own[last_signal + 1];
std::uint64_t signals = ~std::uint64_t{0};
bool bounding_set_is_empty = false;

}  // namespace

void note_own_signals() noexcept {
  for (int number = 1; number <= last_signal; ++number)
    if (::sigaction(number, nullptr, &own[number]) < 0) own[number].sa_handler = SIG_DFL;
}

void note_signals() noexcept {
  std::uint64_t found = 0;
  for (int number = 1; number <= last_signal; ++number) {
    struct sigaction action {};
    // What cannot be asked for (the C library keeps two to itself) is reset to be sure.
    if (::sigaction(number, nullptr, &action) < 0 || action.sa_handler != own[number].sa_handler)
      found |= std::uint64_t{1} << (number - 1);
  }
  signals = found;
}

std::uint64_t noted_signals() noexcept {
  return signals;
}

void reset_noted_signals() noexcept {
  for (int number = 1; number <= last_signal; ++number)
    if ((signals >> static_cast<unsigned>(number - 1) & 1U) != 0) ::signal(number, SIG_DFL);
}

void empty_bounding_set() noexcept {
  if (bounding_set_is_empty) return;
  bool dropped = true;
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability)
    dropped = dropped && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;
  bounding_set_is_empty = dropped;
}

void forget_bounding_set() noexcept {
  bounding_set_is_empty = false;
}

bool has_empty_bounding_set() noexcept {
  return bounding_set_is_empty;
}

}  // namespace sock::zygote
